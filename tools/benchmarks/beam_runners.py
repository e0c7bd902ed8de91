"""Validation and statistics without Beam, with Beam in one process, and in several.

    python tools/benchmarks/beam_runners.py [--curves 1000 10000 50000] [--workers 2]

This is the work of the two components that can use Beam, on records as the pipeline ingests them.
Every figure comes from a process of its own, libraries loaded before the clock starts; processes
of Beam load theirs while it runs, which is part of their price. "CPU" is processor time of the
process and its workers, which a busy machine changes less; "at best" shares it out evenly among
the workers, as on idle processors. A straight line through the processor times tells from which
number of light curves on several workers would be ahead.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import UsageError

T = TypeVar("T")
PLAIN, IN_MEMORY, PROCESSES = "without Beam", "Beam, in memory", "Beam, processes"
WAYS = (PLAIN, IN_MEMORY, PROCESSES)
_PROCESSORS = (2, 4, 8, 16)
_SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


@dataclass(frozen=True)
class Cost:
    """What one way took for one number of light curves.

    Attributes:
        wall, cpu: seconds; of the process and its workers.
        peak: highest resident size of the process, without its workers [bytes].
    """

    wall: float
    cpu: float
    peak: float


def make_examples(folder: Path, curves: int, observations: int) -> None:
    """Writes ``folder/SPLIT/*.gz`` as FoldExampleGen does."""
    from components.example_gen.executor import ingest
    from tools.benchmarks.measuring.curves import make_curves, write_records

    for seed, (split, share) in enumerate(_SHARES.items()):
        lengths = [observations] * max(int(curves * share), 1)
        records = write_records(make_curves(lengths, seed), folder / "records" / split)
        ingest(records, folder / "examples" / split)


def options_of(way: str, workers: int) -> tuple[str, ...]:
    """Beam's arguments for a way; none without Beam."""
    if way == PLAIN:
        return ()
    mode, count = ("in_memory", 1) if way == IN_MEMORY else ("multi_processing", workers)
    return f"--direct_running_mode={mode}", f"--direct_num_workers={count}"


def prepare_validation(folder: Path, options: Sequence[str]) -> Callable[[], object]:
    """What LightCurveValidator does before it sums up."""
    import apache_beam as beam

    from astromer.records.config import LightCurveRules
    from astromer.validation.config import ValidationConfig
    from astromer.validation.fold_check import check_files
    from components.validator.beam_pipeline import add_validation, read_results

    files, rules = _files(folder), (ValidationConfig(), LightCurveRules())
    if not options:
        return lambda: check_files(files, *rules)

    def work() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as found:
            with beam.Pipeline(argv=list(options)) as pipeline:
                add_validation(pipeline, files, *rules, Path(found))
            read_results(Path(found))

    return work


def prepare_statistics(folder: Path, options: Sequence[str]) -> Callable[[], object]:
    """What StatisticsGen does."""
    import apache_beam as beam
    import tensorflow_data_validation as tfdv
    from tfx_bsl.public.tfxio import TFSequenceExampleRecord

    from components.statistics.executor import statistics_of

    files = _files(folder)
    if not options:
        return lambda: [statistics_of(files[split]) for split in files]

    def work() -> None:
        with (
            tempfile.TemporaryDirectory(dir=folder) as found,
            beam.Pipeline(argv=list(options)) as pipeline,
        ):
            for split in files:
                source = TFSequenceExampleRecord(
                    file_pattern=str(folder / "examples" / split / "*"),
                    telemetry_descriptors=["benchmark"],
                )
                (
                    pipeline
                    | f"read {split}" >> source.BeamSource()
                    | f"statistics {split}" >> tfdv.GenerateStatistics()
                    | f"write {split}" >> tfdv.WriteStatisticsToBinaryFile(f"{found}/{split}")
                )

    return work


WORK = {"validation": prepare_validation, "statistics": prepare_statistics}


def _files(folder: Path) -> dict[str, list[Path]]:
    return {split: sorted((folder / "examples" / split).iterdir()) for split in _SHARES}


def measure(work: Callable[[], object]) -> Cost:
    """Does the work once, in this process and its children."""
    before, started = _cpu(), time.perf_counter()
    work()
    wall = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, _cpu() - before, peak * unit)


def _cpu() -> float:
    """Processor seconds of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def line_through(costs: Mapping[int, float]) -> tuple[float, float]:
    """Seconds that do not depend on the light curves, and those for each of them.

    Least squares of the relative errors, so that the smallest number counts as much as the largest.
    """
    weights = {size: 1 / cost**2 for size, cost in costs.items()}
    total = sum(weights.values())
    size_mean = sum(weights[size] * size for size in costs) / total
    cost_mean = sum(weights[size] * costs[size] for size in costs) / total
    spread = sum(weights[size] * (size - size_mean) ** 2 for size in costs)
    slope = sum(weights[s] * (s - size_mean) * (costs[s] - cost_mean) for s in costs) / spread
    return cost_mean - slope * size_mean, slope


def break_even(
    plain: Mapping[int, float], other: Mapping[int, float], measured: int, workers: int
) -> float | None:
    """Light curves from which on several workers are ahead of one process.

    Args:
        plain, other: processor seconds by number of light curves.
        measured: workers that the other way had. Each does what does not depend on the light
            curves, such as loading its libraries.
        workers: how many it would have, each with a processor of its own and as much to do as
            the others.

    Returns:
        None where they never are.
    """
    (fixed, slope), (other_fixed, other_slope) = line_through(plain), line_through(other)
    saved = slope - other_slope / workers
    return max((other_fixed / measured - fixed) / saved, 0.0) if saved > 0 else None


def to_table(costs: Mapping[tuple[str, str, int], Cost], workers: int) -> list[str]:
    """Rows by work and way, and what comes of them."""
    sizes = sorted({size for _, _, size in costs})
    lines = ["".join([" " * 30, *(f"{f'{size:,} light curves':>38}" for size in sizes)])]
    lines.append(" " * 30 + f"{'wall [s]':>11}{'CPU [s]':>9}{'at best':>9}{'MiB':>9}" * len(sizes))
    for work in dict.fromkeys(work for work, _, _ in costs):
        for way in WAYS:
            cells = []
            for cost in (costs[work, way, size] for size in sizes):
                best = cost.cpu / (workers if way == PROCESSES else 1)
                peak = cost.peak / 2**20
                cells.append(f"{cost.wall:11.1f}{cost.cpu:9.1f}{best:9.1f}{peak:9,.0f}")
            lines.append(f"{work:12}{way:18}{''.join(cells)}")
    if len(sizes) > 1:
        works = dict.fromkeys(work for work, _, _ in costs)
        lines += [_verdict(work, costs, sizes, workers) for work in works]
    return lines


def _verdict(
    work: str, costs: Mapping[tuple[str, str, int], Cost], sizes: Sequence[int], workers: int
) -> str:
    cpu = {way: {size: costs[work, way, size].cpu for size in sizes} for way in WAYS}
    found = {n: break_even(cpu[PLAIN], cpu[PROCESSES], workers, n) for n in _PROCESSORS}
    told = (f"{n}: {'never' if least is None else f'{least:,.0f}'}" for n, least in found.items())
    return f"{work}: processes are ahead from, by number of idle processors: {', '.join(told)}"


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy.

    Raises:
        UsageError: a number is too small.
    """
    description = __doc__.split("\n")[0]
    parser = Parser(prog="tools/benchmarks/beam_runners.py", description=description)
    parser.add_argument(
        "--curves",
        type=int,
        nargs="+",
        default=[1_000, 10_000, 50_000],
        help="numbers of light curves (default: 1000 10000 50000)",
    )
    parser.add_argument(
        "--observations", type=int, default=200, help="of each light curve (default: 200)"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes of Beam (default: 2)")
    parser.add_argument("--folder", help="where the records go (default: temporary)")
    args = parser.parse_args(arguments)
    for name in ("observations", "workers"):
        if getattr(args, name) < 1:
            raise UsageError(f"--{name} must be at least 1. Received: {getattr(args, name)}.")
    if min(args.curves) < 1:
        raise UsageError(f"--curves must be at least 1. Received: {min(args.curves)}.")
    return args


def main(arguments: list[str] | None = None) -> None:
    """Prints the table."""
    args = parse(arguments)
    os.environ["PYTHONPATH"] = str(ROOT)  # for Beam's processes

    from astromer.system.logs import silence

    silence()
    # Loaded once for all: a fork is measured each time, and none of this is used before.
    import tensorflow_data_validation  # noqa: F401

    import components.example_gen.executor
    import components.statistics.executor
    import components.validator.beam_pipeline  # noqa: F401
    from tools.benchmarks.measuring.machine import describe

    print(f"{describe()}; light curves of {args.observations} observations, {args.workers} workers")
    with tempfile.TemporaryDirectory(dir=args.folder) as place:
        costs = {}
        for size in sorted(set(args.curves)):
            folder = Path(place) / str(size)
            in_a_child(partial(make_examples, folder, size, args.observations))
            for work in WORK:
                for way in WAYS:
                    options = options_of(way, args.workers)
                    cost = in_a_child(partial(_measure, work, folder, options))
                    costs[work, way, size] = cost
                    print(f"{size:,}, {work}, {way}: {cost}", file=sys.stderr, flush=True)
        print("\n".join(to_table(costs, args.workers)))


def in_a_child(work: Callable[[], T]) -> T:
    """Does the work in a fork of this process, which must not have used TensorFlow."""
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(max_workers=1, mp_context=fork) as pool:
        return pool.submit(work).result()


def _measure(work: str, folder: Path, options: Sequence[str]) -> Cost:
    return measure(WORK[work](folder, options))


if __name__ == "__main__":
    run_program(main)
