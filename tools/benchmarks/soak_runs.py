"""Does a pipeline run take as long when a hundred have gone before, in one output folder?

    python tools/benchmarks/soak_runs.py [--runs 100]

Each run is ``pipeline/local_runner.py`` on the same small survey with another seed, so that it
trains, is judged against the model before it, and is pushed if it is the better one; metadata,
logs, reports and versions of all runs are in one folder. What each took is written to a CSV file as
it goes, which a second call continues.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import AstromerError, UsageError
from tools.benchmarks.measuring.options import check_positive

_NETWORK = (
    "--model astromer_v2 --n-layers 1 --hidden 16 --n-heads 2 --ffn 16 --bs 8 --epochs 2 "
    "--window 50 --report-windows 50 --debug"  # so little training is pushed by trials alone
)
_PUSHED, _NOT_BLESSED = 0, 9


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        number: from 0.
        code: exit code.
        wall, cpu: seconds by the clock, and of processors.
        peak: highest resident size [MiB].
        database: size of the metadata [MiB].
        versions: in the folder of versions, after it.
    """

    number: int
    code: int
    wall: float
    cpu: float
    peak: float
    database: float
    versions: int


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="tools/benchmarks/soak_runs.py", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--curves", type=int, default=60, help="of the survey (default: 60)")
    parser.add_argument("--folder", help="where data and results go (default: temporary)")
    args = parser.parse_args(arguments)
    check_positive({"--runs": args.runs, "--curves": args.curves})
    if args.runs < 12:
        raise UsageError(f"--runs must be at least 12. Received: {args.runs}.")
    return args


def run_all(folder: Path, runs: int, curves: int) -> list[Run]:
    """The runs; those that the CSV file of the folder has are not repeated.

    Raises:
        AstromerError: a run failed.
    """
    from astromer.system.terminal import progress_bar

    data, table = folder / "data", folder / "runs.csv"
    words = ["-m", "astromer", "synthetic", "--output", str(data), "--curves", str(curves)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    done = read_runs(table)
    with open(table, "a", newline="", buffering=1) as file:
        writer = csv.writer(file)
        if not done:
            writer.writerow([field.name for field in fields(Run)])
        for number in progress_bar(range(len(done), runs), desc="pipeline runs", unit="run"):
            done.append(run_once(folder, number))
            writer.writerow(astuple(done[-1]))
    return done


def run_once(folder: Path, number: int) -> Run:
    """One run, with its number as the seed."""
    output, log = folder / "output", folder / "newest_run.log"
    words = ["pipeline/local_runner.py", "--data", str(folder / "data" / "fold_0")]
    words += ["--output", str(output), "--seed", str(number), *_NETWORK.split()]
    started = time.monotonic()
    with open(log, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (_PUSHED, _NOT_BLESSED):
        raise AstromerError(f"Run {number} must end with 0 or 9. Received: {code}; see {log}.")
    unit = 1 if sys.platform == "darwin" else 1024
    databases = sum(path.stat().st_size for path in output.glob("metadata*/*"))
    return Run(
        number,
        code,
        round(time.monotonic() - started, 3),
        round(usage.ru_utime + usage.ru_stime, 3),
        usage.ru_maxrss * unit / 2**20,
        databases / 2**20,
        sum(path.name.isdecimal() for path in (output / "serving" / "astromer").glob("*")),
    )


def read_runs(table: Path) -> list[Run]:
    """The runs in a CSV file, which need not exist."""
    if not table.is_file():
        return []
    with open(table, newline="") as file:
        return [
            Run(
                int(row["number"]),
                int(row["code"]),
                float(row["wall"]),
                float(row["cpu"]),
                float(row["peak"]),
                float(row["database"]),
                int(row["versions"]),
            )
            for row in csv.DictReader(file)
        ]


def table_of(runs: Sequence[Run]) -> str:
    """How what a run takes depends on how many went before.

    The first, which has no model to compare with, is left out.
    """
    from tools.benchmarks.measuring.drift import HEAD, drift, line

    counted = runs[1:]
    at = [run.number / 100 for run in counted]
    pushed = sum(run.code == _PUSHED for run in runs)
    measured = {
        "wall [s per 100 runs]": [run.wall for run in counted],
        "CPU [s per 100 runs]": [run.cpu for run in counted],
        "peak [MiB per 100 runs]": [run.peak for run in counted],
        "metadata [MiB per 100 runs]": [run.database for run in counted],
    }
    return "\n".join(
        [
            f"{len(runs)} runs, {pushed} of them pushed; {runs[-1].versions} versions at the end",
            HEAD,
            *(line(name, drift(at, values, len(counted))) for name, values in measured.items()),
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    """Runs and prints the table."""
    args = parse(arguments)

    from astromer.system.logs import silence

    silence()
    from tools.benchmarks.measuring.machine import describe

    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(args.folder or place).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        print(table_of(run_all(folder, args.runs, args.curves)))


if __name__ == "__main__":
    run_program(main)
