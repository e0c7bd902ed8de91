"""Runs the pipeline on several folds of a survey; reports mean and spread."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astromer.records.fold import Fold, natural_key
from astromer.system.errors import (
    AstromerError,
    DataAnomalyError,
    DataNotFoundError,
    NotBlessedError,
    TrainingInterrupted,
    UsageError,
)
from astromer.system.storage import as_path
from astromer.system.storage.lock import locked
from astromer.validation.config import OFF, STOP
from pipeline.local.failures import STOPPED_MESSAGE, Ending, in_own_process
from pipeline_config import PipelineConfig

ALL = "all"
OUTCOME_FILE = "outcome.json"
FOLDS_FILE = "folds.json"
_COLUMNS = {
    "hidden_rmse": "RMSE [mag]",
    "hidden_r2": "R2",
    "mean_hidden_rmse": "mean of window",
    "interpolation_hidden_rmse": "interpolation",
    "harmonic_hidden_rmse": "harmonic fit",
    "harmonic_curve_hidden_rmse": "of whole curve",
}


@dataclass(frozen=True)
class FoldResult:
    """The outcome of one fold.

    Attributes:
        name: "fold_0".
        exit_code: of its run; 0 if a model was pushed.
        error: why not, in a line.
        scores: of the model on the hidden steps of the test split, and of the baselines; empty
            if there was no evaluation.
        output: the folder of the run.
    """

    name: str
    exit_code: int
    error: str
    scores: dict[str, float] = field(default_factory=dict)
    output: str = ""


def find_folds(data: str, choice: str) -> list[Path]:
    """The fold folders in a folder that ``--fold`` asks for: "all", or a number.

    Raises:
        UsageError: the choice is neither, or ``data`` is a fold itself.
        DataNotFoundError: there is no such fold.
    """
    if choice != ALL and not choice.isdecimal():
        raise UsageError(f"--fold must be {ALL} or the number of a fold. Received: {choice}.")
    folder = as_path(data).expanduser()
    if not folder.is_dir():
        raise DataNotFoundError(
            f"--data must be a folder of folds. Received: {folder}, which "
            f"{'is a file' if folder.exists() else 'does not exist'}. Make folds with python -m "
            "astromer create_records --folds K."
        )
    folds = sorted((p for p in folder.glob("fold_*") if p.is_dir()), key=natural_key)
    if not folds and (folder / "train").is_dir():
        raise UsageError(
            f"--fold goes with the folder around the folds. {folder} is one fold: leave --fold "
            f"out, or give --data {folder.parent}."
        )
    chosen = folds if choice == ALL else [p for p in folds if p.name == f"fold_{int(choice)}"]
    if not chosen:
        there = ", ".join(path.name for path in folds) or "no fold_0, fold_1, ..."
        raise DataNotFoundError(
            f"--fold {choice}: {folder} has {there}. Make folds with python -m "
            "astromer create_records --folds K."
        )
    return chosen


def run_folds(
    run: Callable[[list[str]], int], config: PipelineConfig, choice: str, arguments: Sequence[str]
) -> int:
    """Runs the pipeline on folds, one after another, each in a process and folder of its own.

    A fold that fails does not keep the others from running. The same command resumes: each run
    knows what it has done.

    Args:
        run: runs the pipeline with command-line arguments, for instance
            :func:`pipeline.local_runner.main`.
        config: what the arguments say.
        choice: "all", or the number of a fold.
        arguments: the command line.

    Raises:
        AstromerError: a fold failed, with its exit code (1 where those differ); all have run.
        TrainingInterrupted: the run was stopped.
    """
    folds = find_folds(config.data, choice)
    output = as_path(config.output).expanduser().absolute()
    results = []
    with locked(output):
        _report_shared_stars(folds, config)
        for number, fold in enumerate(folds):
            print(f"\n{fold.name} ({number + 1} of {len(folds)})", flush=True)
            results.append(_run_one(run, fold, output / fold.name, arguments))
            _write(results, folds, output / FOLDS_FILE)
    print(f"\n{to_table(results)}\nalso in {output / FOLDS_FILE}", flush=True)
    _raise_if_failed(results)
    return 0


def _run_one(
    run: Callable[[list[str]], int], fold: Path, output: Path, arguments: Sequence[str]
) -> FoldResult:
    outcome = output / OUTCOME_FILE
    outcome.unlink(missing_ok=True)
    # Of options that are given twice the last one counts.
    own = [*arguments, "--data", str(fold), "--output", str(output), "--fold="]
    ending = in_own_process(run, own)
    if ending.exit_code == TrainingInterrupted.exit_code:
        raise TrainingInterrupted(STOPPED_MESSAGE)
    if ending.error:
        print(f"error: {fold.name}: {ending.error}", file=sys.stderr, flush=True)
    scores = json.loads(outcome.read_text())["scores"] if outcome.is_file() else {}
    return FoldResult(fold.name, ending.exit_code, ending.error, scores, str(output))


def to_table(results: Sequence[FoldResult]) -> str:
    """Scores by fold, their mean and their sample standard deviation."""
    wide = max(len("std. dev."), *(len(result.name) for result in results))
    head = "".join(f"{title:>16}" for title in _COLUMNS.values())
    lines = [f"{'':{wide}}{head}   hidden steps of the test split"]
    for result in results:
        numbers = "".join(f"{result.scores.get(key, float('nan')):16.4f}" for key in _COLUMNS)
        note = f"   failed: {result.error[:120]}" if result.exit_code else ""
        if result.exit_code == NotBlessedError.exit_code:
            note = "   not blessed"
        lines.append(f"{result.name:{wide}}{numbers if result.scores else ' ' * 64}{note}")
    mean, spread = mean_and_spread(results)
    if mean:
        count = sum(bool(result.scores) for result in results)
        lines.append(f"{'mean':{wide}}" + "".join(f"{mean[key]:16.4f}" for key in _COLUMNS))
        if spread:
            numbers = "".join(f"{spread[key]:16.4f}" for key in _COLUMNS)
            lines.append(f"{'std. dev.':{wide}}{numbers}   of {count} folds (divisor n - 1)")
    return "\n".join(lines)


def mean_and_spread(
    results: Sequence[FoldResult],
) -> tuple[dict[str, float], dict[str, float]]:
    """Mean and sample standard deviation of each score; empty with too few evaluated folds."""
    scored = [result.scores for result in results if result.scores]
    columns = {key: [scores.get(key, float("nan")) for scores in scored] for key in _COLUMNS}
    mean = {key: statistics.fmean(values) for key, values in columns.items() if values}
    spread = {key: statistics.stdev(v) for key, v in columns.items() if len(v) > 1}
    return mean, spread


def _write(results: Sequence[FoldResult], folds: Sequence[Path], path: Path) -> None:
    mean, spread = mean_and_spread(results)
    content: dict[str, Any] = {
        "folds": [vars(result) for result in results],
        "not_run": [fold.name for fold in folds[len(results) :]],
        "mean": mean,
        "sample_standard_deviation": spread,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _raise_if_failed(results: Sequence[FoldResult]) -> None:
    failed = [result for result in results if result.exit_code]
    if not failed:
        return
    listed = "; ".join(f"{result.name}: {result.error}" for result in failed)
    error = AstromerError(f"{len(failed)} of {len(results)} folds failed. {listed}")
    codes = {result.exit_code for result in failed}
    error.exit_code = codes.pop() if len(codes) == 1 else AstromerError.exit_code
    raise error


def _report_shared_stars(folds: Sequence[Path], config: PipelineConfig) -> None:
    """Warns, or stops, where a star is in the tests of two folds."""
    severity = config.validation.shared_test_star
    if len(folds) < 2 or severity == OFF:
        return
    # In a process of its own, so that TensorFlow takes no accelerator's memory in this one.
    ending: Ending = in_own_process(_shared_stars, [str(fold) for fold in folds])
    if ending.exit_code or not ending.result:
        return  # a fold that cannot be read fails by itself
    if severity == STOP:
        raise DataAnomalyError(str(ending.result))
    print(f"warning: {ending.result}", flush=True)


def _shared_stars(paths: list[str]) -> str:
    from astromer.system.logs import silence

    silence()
    from astromer.validation.duplicates import shared_test_stars

    shared = shared_test_stars({as_path(path).name: Fold.open(path) for path in paths})
    if not len(shared):
        return ""
    return (
        f"{len(shared):,} shared_test_star. The first: {shared[0]}. List them all with python -m "
        "astromer validate --report."
    )
