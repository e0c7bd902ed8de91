"""Fuzzes what reads untrusted files and requests, target by target.

    python tools/fuzzing/run.py [--minutes 10] [--target record ...]

The minutes are divided among the targets; each has a process of its own. Inputs that are worth
keeping, inputs that broke something and the sums over all runs lie in .fuzz/ (--folder), so that a
later run goes on from there. It ends with 1 if there are crashes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from astromer.commands.cli import Parser, run_program  # noqa: E402
from astromer.system.errors import AstromerError, UsageError  # noqa: E402
from tools.fuzzing.counter import read_counter  # noqa: E402
from tools.fuzzing.results import Result, crashes, read_results, table, write_results  # noqa: E402
from tools.fuzzing.targets import NAMES  # noqa: E402

_MOST_RESTARTS = 5  # of a target that ends its process each time
_MOST_MEGABYTES = 4096  # of a process: TensorFlow alone takes 600
_MOST_SECONDS = 30  # for one input: a hundred times what any takes
_ENVIRONMENT = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="python tools/fuzzing/run.py", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="in all (default: 10)")
    parser.add_argument(
        "--target", nargs="+", default=[], metavar="TARGET", help=f"of {', '.join(NAMES)}"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the run; 0 draws one (default)")
    parser.add_argument("--folder", default=".fuzz", metavar="DIR", help="default: .fuzz")
    parser.add_argument(
        "--rounds", type=int, default=1, help="times to go through the targets (default: 1)"
    )
    args = parser.parse_args(arguments)
    if unknown := sorted(set(args.target) - set(NAMES)):
        raise UsageError(
            f"--target must be among {', '.join(NAMES)}. Received: {', '.join(unknown)}."
        )
    if not args.minutes > 0 or args.rounds < 1 or not 0 <= args.seed < 2**32:
        raise UsageError(
            "--minutes must be above 0, --rounds at least 1 and --seed from 0 to 4294967295. "
            f"Received: {args.minutes:g}, {args.rounds} and {args.seed}."
        )
    args.target = [name for name in NAMES if name in args.target] or list(NAMES)
    return args


def main(arguments: list[str] | None = None) -> int:
    """Runs the targets in turn and prints the table."""
    args = parse(arguments)
    folder = Path(args.folder).resolve()
    seconds = 60 * args.minutes / args.rounds / len(args.target)
    for number in range(args.rounds):
        for name in args.target:
            seed = args.seed + number if args.seed else 0
            _run(name, folder, seconds, seed)
            print(f"{name}: {len(crashes(folder, name))} crash(es)", flush=True)
    print(f"\n{table(folder, tuple(args.target))}")
    return _tell(folder, args.target)


def _run(name: str, folder: Path, seconds: float, seed: int) -> None:
    """Runs a target for so long, anew after each input that ends its process."""
    end = time.monotonic() + seconds
    for _ in range(_MOST_RESTARTS):
        if (left := end - time.monotonic()) < 1:
            return
        ended = _run_once(name, folder, max(left, 1), seed)
        seed = seed + 1000 if seed else 0
        if ended == 0:
            return


def _run_once(name: str, folder: Path, seconds: float, seed: int) -> int:
    """The exit status of one process, after its executions have been added to the results."""
    corpus, found = folder / "corpus" / name, folder / "crashes" / name
    for place in (corpus, found, folder / "logs"):
        place.mkdir(parents=True, exist_ok=True)
    counter, log = folder / f"{name}.executions", folder / "logs" / f"{name}.log"
    counter.unlink(missing_ok=True)
    options = [
        str(corpus),
        f"-max_total_time={int(seconds)}",
        f"-rss_limit_mb={_MOST_MEGABYTES}",
        f"-timeout={_MOST_SECONDS}",
        f"-artifact_prefix={found}/",
        *([f"-seed={seed}"] if seed else []),
    ]
    started = time.monotonic()
    with log.open("wb") as file:
        status = subprocess.run(
            [sys.executable, "-m", "tools.fuzzing.worker", name, str(folder), *options],
            cwd=ROOT,
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        ).returncode
    results = read_results(folder)
    executions, took = read_counter(counter), time.monotonic() - started
    said = log.read_text(encoding="utf-8", errors="replace")
    results.setdefault(name, Result()).add(executions, took, said)
    write_results(folder, results)
    if not executions:
        raise AstromerError(f"the target {name} cannot be run: {log} says why.")
    return status


def _tell(folder: Path, names: list[str]) -> int:
    found = [path for name in names for path in crashes(folder, name)]
    for path in found:
        print(f"python tools/fuzzing/reproduce.py {path.parent.name} {path}")
    return 1 if found else 0


if __name__ == "__main__":
    run_program(main)
