"""Does a long training hold its memory, file handles and threads?

    python tools/benchmarks/soak_training.py [--minutes 120]

Trains the network of ``make run`` on built-in data without an end, looks at the process every few
seconds, and stops it when the time is over. What it held is written to a CSV
file as it goes; the table is made of what comes after the first part, in which TensorFlow
traces, compiles and fills its pools.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import asdict, astuple, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import AstromerError, DataNotFoundError, UsageError

_ENDLESS = 1_000_000_000  # epochs
_NETWORK = (
    "--model astromer_v2 --n-layers 2 --hidden 64 --n-heads 2 --bs 16 --lr 3e-3 --warmup-steps 100 "
    f"--decay cosine --epochs {_ENDLESS} --patience {_ENDLESS}"
)
_INTERRUPTED, _STOPPED = 130, 143  # with a state that was saved, and before there was one
_MEASURED = {
    "memory [MiB/hour]": "anonymous",
    "file handles [1/hour]": "handles",
    "threads [1/hour]": "threads",
}


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="tools/benchmarks/soak_training.py", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--minutes", type=float, default=120, help="how long to train (default: 120)"
    )
    parser.add_argument(
        "--every", type=float, default=5, help="seconds between two looks (default: 5)"
    )
    parser.add_argument(
        "--start",
        type=float,
        default=0.25,
        help="fraction of the looks that is left out at the start (default: 0.25)",
    )
    parser.add_argument("--folder", help="where data and results go (default: temporary)")
    parser.add_argument("--samples", help="make the table from the CSV file of an earlier run")
    args = parser.parse_args(arguments)
    if min(args.minutes, args.every) <= 0 or not 0 <= args.start < 1:
        raise UsageError(
            "--minutes and --every must be above 0, --start from 0 to below 1. Received: "
            f"{args.minutes:g}, {args.every:g}, {args.start:g}."
        )
    return args


def train(folder: Path, minutes: float, every: float) -> Path:
    """Trains and looks; returns the CSV file.

    Raises:
        AstromerError: the training ended by itself, or not as one that is interrupted.
    """
    from tools.benchmarks.measuring.resources import Held, held

    data, log = folder / "data", folder / "training.log"
    subprocess.run(_program("astromer", "synthetic", "--output", str(data)), cwd=ROOT, check=True)
    words = _program("presentation.scripts.pretrain", "--data", str(data / "fold_0"))
    samples, started = folder / "samples.csv", time.monotonic()
    with open(log, "w") as output, open(samples, "w", newline="", buffering=1) as table:
        writer = csv.writer(table)
        writer.writerow([field.name for field in fields(Held)])
        process = subprocess.Popen(
            [*words, "--output", str(folder / "output"), *_NETWORK.split()],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while (passed := time.monotonic() - started) < 60 * minutes:
                found = held(process.pid, round(passed, 2))
                if found is None or process.poll() is not None:
                    raise AstromerError(f"The training ended by itself; {log} says why.")
                writer.writerow(astuple(found))
                time.sleep(every)
        finally:
            process.terminate()  # a shell's background job ignores Ctrl-C
            code = process.wait()
    if code not in (_INTERRUPTED, _STOPPED):
        raise AstromerError(f"A stopped training must end with 130 or 143. Received: {code}; {log}")
    return samples


def _program(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]


def table_of(samples: Path, start: float) -> str:
    """What was held, from the CSV file.

    Raises:
        DataNotFoundError: the file is missing or too short.
    """
    from tools.benchmarks.measuring.drift import HEAD, drift, line
    from tools.benchmarks.measuring.resources import Held

    if not samples.is_file():
        raise DataNotFoundError(
            f"--samples must be a CSV file of this program. Received: {samples}, which is no file."
        )
    with open(samples, newline="") as file:
        rows = [
            Held(*(float(row[f.name]) for f in fields(Held)))  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]
    steady = [asdict(row) for row in rows[int(start * len(rows)) :]]
    if len(steady) < 24:
        raise DataNotFoundError(
            f"A table needs at least 24 looks after the start. Received: {len(steady)} in "
            f"{samples}. Train longer (--minutes), or look more often (--every)."
        )
    hours = [row["seconds"] / 3600 for row in steady]
    lines = [
        f"{len(rows):,} looks in {rows[-1].seconds / 60:.0f} min, {rows[-1].cpu / 60:.0f} min of "
        f"processor time; the first {start:.0%} left out",
        HEAD,
        *(
            line(name, drift(hours, [row[field] for row in steady]))
            for name, field in _MEASURED.items()
        ),
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Trains and prints the table."""
    args = parse(arguments)
    if args.samples:
        print(table_of(Path(args.samples), args.start))
        return
    from astromer.system.logs import silence

    silence()
    from tools.benchmarks.measuring.machine import describe

    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(args.folder or place).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        print(table_of(train(folder, args.minutes, args.every), args.start))


if __name__ == "__main__":
    run_program(main)
