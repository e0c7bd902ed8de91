"""``astromer embed --beam`` on worker processes, beside as many processes of ``astromer embed``.

    python tools/benchmarks/embed_on_beam.py [--curves 20000] [--workers 2] [--rounds 1]

The local processes embed a part of the survey each, at the same time. Both take turns. "CPU" is
processor time of all processes of a way, which a busy machine changes less than "wall"; the ratio
is that of the local processes to Beam's, so that 1 is as fast. Ways are compared row by row.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import AstromerError, UsageError


@dataclass(frozen=True)
class Cost:
    """What one way took: seconds, and the largest resident size of its processes [bytes]."""

    wall: float
    cpu: float
    peak: float


def measure(commands: Sequence[Sequence[str]]) -> Cost:
    """Runs commands at the same time.

    Raises:
        AstromerError: one fails.
    """
    before, started = _cpu(), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "astromer", "embed", *command],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for command in commands
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise AstromerError(f"astromer embed ended with {codes}: see above.")
    wall = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return Cost(wall, _cpu() - before, peak)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make_survey(folder: Path, curves: int, observations: int, parts: int) -> list[Path]:
    """Record files, one for each part."""
    from tools.benchmarks.measuring.curves import make_curves, write_records

    made = []
    for number in range(parts):
        count = curves // parts + (number < curves % parts)
        [file] = write_records(make_curves([observations] * count, number), folder / str(number))
        made.append(file)
    return made


def largest_difference(local: Sequence[Path], beam: Path) -> float:
    """Of two vectors of a light curve, in lengths of the vector."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    mine = pa.concat_tables([pq.read_table(path) for path in sorted(beam.glob("*.parquet"))])
    theirs = pa.concat_tables([pq.read_table(path) for path in local])
    if mine.column("id") != theirs.column("id") or mine.column("status") != theirs.column("status"):
        raise AstromerError("Both ways must have the same rows. Received: others.")
    name = "embedding" if "embedding" in mine.column_names else "mean"
    mine, theirs = (
        np.array(table.column(name).combine_chunks().flatten()).reshape(len(table), -1)
        for table in (mine, theirs)
    )
    return float((np.abs(mine - theirs).max(axis=1) / np.linalg.norm(theirs, axis=1)).max())


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy.

    Raises:
        UsageError: a number is too small.
    """
    parser = Parser(
        prog="tools/benchmarks/embed_on_beam.py", description=(__doc__ or "").split("\n")[0]
    )
    numbers = {
        "curves": (20_000, "light curves"),
        "observations": (200, "of each light curve"),
        "workers": (2, "processes of each way"),
        "shard-curves": (1024, "light curves in a file of Beam's"),
        "rounds": (1, "how often both ways take turns"),
    }
    for name, (default, what) in numbers.items():
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{what} (default: {default})"
        )
    parser.add_argument("--model", default="starter", help="(default: starter)")
    parser.add_argument("--folder", help="where records and tables go (default: temporary)")
    args = parser.parse_args(arguments)
    for name in numbers:
        if (given := getattr(args, name.replace("-", "_"))) < 1:
            raise UsageError(f"--{name} must be at least 1. Received: {given}.")
    return args


def main(arguments: list[str] | None = None) -> None:
    """Prints costs and their ratio."""
    args = parse(arguments)
    from astromer.system.logs import silence
    from tools.benchmarks.measuring.machine import describe

    silence()
    print(f"{describe()}; {args.curves:,} light curves of {args.observations} observations")
    with tempfile.TemporaryDirectory(dir=args.folder) as place:
        folder = Path(place)
        files = make_survey(folder / "parts", args.curves, args.observations, args.workers)
        whole = folder / "survey"
        whole.mkdir()
        for number, file in enumerate(files):
            (whole / f"{number}.record").hardlink_to(file)
        costs: dict[str, list[Cost]] = {"local": [], "Beam": []}
        for turn in range(args.rounds):
            tables = [folder / f"local{turn}-{number}.parquet" for number in range(args.workers)]
            common = ["--model", args.model]
            costs["local"].append(
                measure(
                    [
                        ["--data", str(file.parent), "--out", str(table), *common]
                        for file, table in zip(files, tables)
                    ]
                )
            )
            out = folder / f"beam{turn}"
            mode = "--runner=DirectRunner --direct_running_mode=multi_processing"
            shards = ["--shard-curves", str(args.shard_curves)]
            beam = ["--beam", f"{mode} --direct_num_workers={args.workers}"]
            costs["Beam"].append(
                measure([["--data", str(whole), "--out", str(out), *common, *shards, *beam]])
            )
        for way, taken in costs.items():
            wall, cpu = (sum(getattr(c, n) for c in taken) / len(taken) for n in ("wall", "cpu"))
            print(
                f"{way:6} {args.workers} processes  wall {wall:8.1f} s  CPU {cpu:8.1f} s, "
                f"{args.curves / cpu:6.1f} light curves per CPU second; "
                f"peak of a process {max(c.peak for c in taken) / 2**30:.2f} GiB"
            )
        for name in ("wall", "cpu"):
            local, other = (sum(getattr(c, name) for c in costs[way]) for way in costs)
            print(f"speed of Beam relative to local processes, by {name}: {local / other:.3f}")
        print(
            f"largest difference of a vector: {largest_difference(tables, out):.1e} of its length"
        )


if __name__ == "__main__":
    run_program(main)
