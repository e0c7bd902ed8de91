"""Where a run of ``local_runner`` spends its time, outside the training itself.

    python tools/benchmarks/pipeline_overhead.py [--curves 5000] [--observations 400] [--rounds 1]

The training is as short as can be (one epoch of a tiny network); everything around it is what
any run pays for: loading libraries, each component, what the Trainer does before its first step
and after its last one, and ending the process. Every run is a process of its own, and so is its
fold: once with nothing done before, once with everything cached. CPU seconds count every thread
of the process; where other work shares the machine they are the ones to compare.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TINY = ("--model=astromer_v2", "--n-layers=1", "--hidden=16", "--n-heads=2", "--epochs=1")
_NOT_BLESSED = 9  # a network of so little may be worse than the mean of the window
CHECKS, IMPORTS, END = "checks of options and data", "imports, assembly", "end of the process"
BEFORE, TRAINING, EXPORT = "Trainer: before step 1", "Trainer: training", "Trainer: export"
_TRAINER = "Trainer"
RUNS = ("cold", "cached")


@dataclass(frozen=True)
class Cost:
    """What one part of a run took.

    Attributes:
        part: a component's id, or what else.
        wall, cpu: seconds; of all threads.
        peak: highest resident size of the process up to its end [MiB].
        cached: whether the result came from the cache.
    """

    part: str
    wall: float
    cpu: float
    peak: float
    cached: bool = False


class Stopwatch:
    """Takes the time between marks, from the start of the process."""

    def __init__(self) -> None:
        # The clock runs from when the interpreter was started, not from this line.
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - _started_at()
        self._wall, self._cpu = time.perf_counter() - age, 0.0
        self.costs: list[Cost] = []

    def mark(self, part: str, cached: bool = False) -> None:
        """What has passed since the mark before was ``part``."""
        wall, cpu = time.perf_counter(), time.process_time()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.costs.append(Cost(part, wall - self._wall, cpu - self._cpu, peak, cached))
        self._wall, self._cpu = wall, cpu


def _started_at() -> float:
    """When this process was started, in seconds since boot."""
    fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def run_measured(arguments: Sequence[str], result: Path) -> int:
    """Runs ``local_runner`` in this process and writes what each part took.

    Args:
        arguments: of ``local_runner``.
        result: JSON file to write.

    Returns:
        The exit code.
    """
    watch = Stopwatch()
    from astromer.system.errors import NotBlessedError
    from pipeline import local_runner
    from pipeline.local import console

    class Report(console.Report):
        def say(self, text: str) -> None:
            if not watch.costs:
                watch.mark(CHECKS)
            super().say(text)

        def started(self, name: str) -> None:
            if len(watch.costs) == 1:
                watch.mark(IMPORTS)
            if name == _TRAINER:
                _watch_trainer(watch)
            super().started(name)

        def ended(self, step: console.Step) -> None:
            watch.mark(EXPORT if watch.costs[-1].part == TRAINING else step.name, step.cached)
            super().ended(step)

    local_runner.Report = Report  # type: ignore[misc]
    try:
        code = local_runner.main(list(arguments))
    except NotBlessedError:
        code = _NOT_BLESSED
    watch.mark("summary")
    result.write_text(json.dumps([asdict(cost) for cost in watch.costs]))
    return code


def _watch_trainer(watch: Stopwatch) -> None:
    """Marks the first step's start and the training's end; both run where TFX calls them."""
    from astromer.training import loop

    def before(function: Callable[..., Any], part: str) -> Callable[..., Any]:
        def marked(*args: Any, **kwargs: Any) -> Any:
            watch.mark(part)
            return function(*args, **kwargs)

        return marked

    loop.Trainer._train_epoch = before(loop.Trainer._train_epoch, BEFORE)  # type: ignore[method-assign]
    loop.Trainer.summary = before(loop.Trainer.summary, TRAINING)  # type: ignore[method-assign]


def measure(arguments: Sequence[str], folder: Path) -> tuple[list[Cost], float]:
    """Runs ``local_runner`` in a new process.

    Args:
        arguments: of ``local_runner``.
        folder: takes the figures.

    Returns:
        The parts in their order, and seconds until the first line of output.

    Raises:
        SystemExit: the run failed.
    """
    result = folder / "costs.json"
    command = [sys.executable, __file__, "--measure", str(result), *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as run,
    ):
        assert run.stdout is not None
        run.stdout.readline()
        first = time.perf_counter() - started
        run.stdout.read()
        if run.wait() not in (0, _NOT_BLESSED):
            errors.seek(0)
            raise SystemExit(f"local_runner failed:\n{errors.read()[-2000:]}")
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    costs = [Cost(**cost) for cost in json.loads(result.read_text())]
    rest = wall - sum(cost.wall for cost in costs), cpu - sum(cost.cpu for cost in costs)
    return [*costs, Cost(END, *rest, costs[-1].peak)], first


def outside_trainer(costs: Sequence[Cost]) -> Cost:
    """Everything but the Trainer."""
    others = [cost for cost in costs if not cost.part.startswith(_TRAINER)]
    return Cost("outside the Trainer", *_sums(others))


def _sums(costs: Sequence[Cost]) -> tuple[float, float, float]:
    return (
        sum(cost.wall for cost in costs),
        sum(cost.cpu for cost in costs),
        max(cost.peak for cost in costs),
    )


def to_table(runs: Sequence[Sequence[Cost]]) -> str:
    """The medians over several equal runs, part by part."""
    lines = [f"{'':28}{'wall [s]':>10}{'CPU [s]':>10}{'peak [MiB]':>12}"]
    totals = [[outside_trainer(run), Cost("whole run", *_sums(run))] for run in runs]
    for part in zip(*(list(run) + total for run, total in zip(runs, totals)), strict=True):
        wall, cpu, peak = (
            statistics.median(getattr(cost, name) for cost in part)
            for name in ("wall", "cpu", "peak")
        )
        note = "   cached" if part[0].cached else ""
        lines.append(f"{part[0].part:28}{wall:10.2f}{cpu:10.2f}{peak:12.0f}{note}")
    return "\n".join(lines)


def make_fold(folder: Path, curves: int, observations: int) -> Path:
    """A fold of synthetic light curves, made in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from tools.benchmarks import validation; "
        "folder, curves, observations = sys.argv[1:]; folder = Path(folder); "
        "validation.make_survey(folder / 'survey', int(curves), int(observations)); "
        "validation.make_records(folder, 2)()"
    )
    command = [sys.executable, "-c", code, str(folder), str(curves), str(observations)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return folder / "records" / "fold_0"


def main() -> None:
    """Prints the tables."""
    # Imported late: the measured process must not have loaded anything of the package.
    from astromer.commands.cli import Parser

    parser = Parser(
        prog="tools/benchmarks/pipeline_overhead.py", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--curves", type=int, default=5000)
    parser.add_argument("--observations", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=1, help="runs of each kind; medians are told")
    parser.add_argument("--fold", help="an existing fold instead of a synthetic one")
    parser.add_argument("--folder", help="where fold and output go (default: temporary)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as place:
        folder = Path(place)
        fold = args.fold or make_fold(folder, args.curves, args.observations)
        runs: dict[str, list[list[Cost]]] = {kind: [] for kind in RUNS}
        firsts = []
        for number in range(args.rounds):
            for kind in RUNS:
                output = folder / f"outputs-{number}"
                costs, first = measure(
                    ["--data", str(fold), "--output", str(output), *TINY], folder
                )
                runs[kind].append(costs)
                firsts.append(first)
    what = args.fold or f"{args.curves:,} light curves of {args.observations} observations"
    print(f"{what}; medians of {args.rounds} run(s)")
    print(f"first line of output after {statistics.median(firsts):.2f} s")
    for kind, measured in runs.items():
        print(f"\n{kind}\n{to_table(measured)}")


if __name__ == "__main__":
    sys.path[:] = [str(ROOT), *sys.path[1:]]
    if sys.argv[1:2] == ["--measure"]:
        sys.exit(run_measured(sys.argv[3:], Path(sys.argv[2])))
    from astromer.commands.cli import run_program

    run_program(main)
