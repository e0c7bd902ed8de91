"""What all runs of the fuzzers have found so far, added up in one file."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from astromer.system.atomic import write_file

RESULTS_FILE = "results.json"
_STATUS = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


@dataclass
class Result:
    """Of one target, over all runs.

    Attributes:
        executions: inputs that were tried.
        seconds: that this took.
        coverage: branches of the instrumented Python code that the corpus reaches.
        corpus: inputs that are kept.
        runs: how often the target was run.
    """

    executions: int = 0
    seconds: float = 0.0
    coverage: int = 0
    corpus: int = 0
    runs: int = 0

    def add(self, executions: int, seconds: float, log: str) -> None:
        """Adds a run.

        Args:
            executions: of it.
            seconds: that it took.
            log: what libFuzzer printed.
        """
        self.executions += executions
        self.seconds += seconds
        self.runs += 1
        if found := _STATUS.findall(log):
            self.coverage, self.corpus = int(found[-1][0]), int(found[-1][2])


def read_results(folder: Path) -> dict[str, Result]:
    """The results by target; none where nothing was run."""
    try:
        found = json.loads((folder / RESULTS_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {name: Result(**values) for name, values in found.items()}


def write_results(folder: Path, results: dict[str, Result]) -> None:
    """Replaces the file in one step."""
    content = {name: asdict(result) for name, result in sorted(results.items())}
    write_file(folder / RESULTS_FILE, json.dumps(content, indent=1) + "\n")


def crashes(folder: Path, name: str) -> list[Path]:
    """Inputs of a target that broke its property, ended the process or took too long."""
    place = folder / "crashes" / name
    return sorted(path for path in place.glob("*") if path.suffix != ".txt")


def table(folder: Path, names: tuple[str, ...]) -> str:
    """The results of some targets, a line for each."""
    results = read_results(folder)
    head = f"{'target':16}{'executions':>12}{'/s':>8}{'coverage':>10}{'corpus':>8}{'crashes':>9}"
    lines = [head]
    for name in names:
        result = results.get(name, Result())
        rate = result.executions / result.seconds if result.seconds else 0.0
        lines.append(
            f"{name:16}{result.executions:>12,}{rate:>8.0f}{result.coverage:>10}"
            f"{result.corpus:>8}{len(crashes(folder, name)):>9}"
        )
    total = sum(results[name].executions for name in names if name in results)
    return "\n".join([*lines, f"{'all':16}{total:>12,}"])
