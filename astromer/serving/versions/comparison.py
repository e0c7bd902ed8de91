"""The versions of a folder as a table, and two of them compared: scores, data and settings."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.serving.checksums import condition
from astromer.serving.saved_model import CLASSIFIER, flat, model_kind, read_facts, try_read_config
from astromer.serving.versions.folder import LATEST, WITHDRAWN, alias, versions, withdrawn
from astromer.system.errors import DataNotFoundError
from astromer.system.storage import files_in
from astromer.system.text import printable, shortened
from astromer.windows.config import MaskingConfig

_CLOCK = (946684800, 4102444800)  # numbers that are Unix times of this century


@dataclass(frozen=True)
class VersionRow:
    """A version in the table.

    Attributes:
        version: its number.
        pushed: time, "2026-01-31 12:00" UTC; from the number if the version has no card.
        survey: names of the surveys, "" if unknown.
        curves: light curves in the training split; None if unknown.
        score: RMSE at hidden steps of the test split [mag]; macro-F1 of a classifier.
        mean, interpolation: RMSE of the baselines at the same steps [mag]; of a classifier the
            macro-F1 of the most frequent class, and None.
        kind: "encoder" or "classifier".
        size: bytes of all files.
        condition: "whole", "damaged" or "no checksums"; "" if it was not checked.
        is_latest: whether the alias names it.
        is_withdrawn: whether it is hidden from model servers.
    """

    version: str
    pushed: str
    survey: str
    curves: int | None
    score: float | None
    mean: float | None
    interpolation: float | None
    kind: str
    size: int
    condition: str
    is_latest: bool
    is_withdrawn: bool


def version_rows(folder: Path, *, check: bool = True) -> list[VersionRow]:
    """A row for each version, oldest first, then the withdrawn ones.

    Args:
        folder: the folder of versions.
        check: whether to compare the files with their checksums, which reads all of them.

    Raises:
        ModelError: the alias is damaged.
    """
    named = alias(folder)
    return [
        *(_row(path, named == path.name, False, check) for path in versions(folder)),
        *(_row(path, False, True, check) for path in withdrawn(folder)),
    ]


def listing_table(rows: Sequence[VersionRow]) -> str:
    """The rows as text."""
    classifiers = any(row.kind == CLASSIFIER for row in rows)
    titles = ("macro-F1", "majority", "") if classifiers else ("RMSE", "mean", "interpolation")
    head = ("version", "pushed (UTC)", "survey", "curves", *titles, "size", "files", "")
    lines = [head, *(_texts(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "  ".join(
            cell.rjust(width) if 3 <= i <= 7 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
            if width or i == len(head) - 1
        ).rstrip()
        for line in lines
    ]
    if not classifiers and any(row.score is not None for row in rows):
        text.append("RMSE [mag]: of each at the hidden steps of its own test split; see compare")
    return "\n".join(text)


def _row(version: Path, is_latest: bool, is_withdrawn: bool, check: bool) -> VersionRow:
    facts, settings = read_facts(version), try_read_config(version)
    metadata = settings.get("metadata", {})
    evaluation = facts.get("evaluation", {})
    scores = evaluation.get("model") or {}
    score, mean = scores.get("hidden_rmse"), scores.get("mean_hidden_rmse")
    if "served" in evaluation:
        score = evaluation["served"].get("macro_f1")
        mean = facts.get("study", {}).get("majority", {}).get("macro_f1")
    data = facts.get("data", {})
    train = data.get("splits", {}).get("train", {})
    return VersionRow(
        version=version.name,
        pushed=_when(facts, version.name),
        survey=", ".join(data.get("surveys", ())),
        curves=train.get("curves", metadata.get("summary", {}).get("train_curves")),
        score=score,
        mean=mean,
        interpolation=scores.get("interpolation_hidden_rmse"),
        kind=model_kind(settings),
        size=sum((version / file).stat().st_size for file in files_in(version)),
        condition=condition(version)[0] if check else "",
        is_latest=is_latest,
        is_withdrawn=is_withdrawn,
    )


def _when(facts: Mapping[str, Any], number: str) -> str:
    if "pushed" in facts:
        return str(facts["pushed"])[:16].replace("T", " ")
    if _CLOCK[0] <= int(number) <= _CLOCK[1]:
        moment = datetime.datetime.fromtimestamp(int(number), datetime.timezone.utc)
        return moment.strftime("%Y-%m-%d %H:%M")
    return ""


def _texts(row: VersionRow) -> tuple[str, ...]:
    notes = [LATEST] if row.is_latest else []
    notes += [WITHDRAWN] if row.is_withdrawn else []
    numbers = [row.score, row.mean, row.interpolation]
    return (
        row.version,
        row.pushed or "-",
        shortened(printable(row.survey), 30) or "-",
        "-" if row.curves is None else f"{row.curves:,}",
        *("-" if value is None else f"{value:.4f}" for value in numbers),
        f"{row.size / 1e6:.1f} MB",
        row.condition or "not checked",
        ", ".join(notes),
    )


SCORES = (
    *("hidden_rmse", "hidden_r2", "mean_hidden_rmse", "interpolation_hidden_rmse"),
    *("harmonic_hidden_rmse", "harmonic_curve_hidden_rmse"),
    *("skill_over_mean", "skill_over_interpolation", "probed_rmse", "hidden_steps", "windows"),
)
_SERVED = ("macro_f1", "accuracy")
_NOT_SETTINGS = ("summary", "train_profile", "trained_on", "processing", "course", "machine")
_MOST, _WIDEST = 40, 60


def compare(one: Path, other: Path) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Compares what two versions were pushed with.

    Returns:
        Pairs of values by name, in the groups "scores" (all), "data" and "settings" (those that
        differ); None where a version does not have a value.
    """
    facts = read_facts(one), read_facts(other)
    settings = try_read_config(one), try_read_config(other)
    return {
        "scores": _paired(*(scores_of(each) for each in facts)),
        "data": _differing(*(flat(_data(each)) for each in facts)),
        "settings": _differing(*(flat(_settings(each)) for each in settings)),
    }


def scores_of(facts: Mapping[str, Any]) -> dict[str, float]:
    """The scores that a version was pushed with, by name."""
    evaluation = facts.get("evaluation", {})
    model, served = evaluation.get("model") or {}, evaluation.get("served") or {}
    return {
        **{name: model[name] for name in SCORES if name in model},
        **{name: served[name] for name in _SERVED if name in served},
    }


def on_equal_terms(one: Path, other: Path) -> str:
    """Why the scores of two versions cannot be compared; empty if they can."""
    first, second = read_facts(one), read_facts(other)
    if not scores_of(first) or not scores_of(second):
        return "a version has no scores"
    prints = [facts["data"].get("fingerprint") for facts in (first, second)]
    if prints[0] != prints[1] or not prints[0]:
        return "they were measured on different light curves"
    conditions = [facts["evaluation"].get("conditions") for facts in (first, second)]
    windows = [try_read_config(version).get("window_size") for version in (one, other)]
    if conditions[0] != conditions[1] or windows[0] != windows[1]:
        return "they were measured at different hidden steps"
    return ""


def score_all(
    versions: Sequence[Path], files: Sequence[Path], masking: MaskingConfig, seed: int
) -> list[dict[str, Any]]:
    """Scores versions on the same light curves; loads TensorFlow.

    Versions with the same window size are scored at the same hidden steps.

    Returns:
        Metrics of each version, see :class:`astromer.evaluation.evaluation.Evaluation`.

    Raises:
        DataNotFoundError: there are no light curves.
        ModelError: a version cannot be rebuilt.
    """
    from astromer.evaluation.config import EvaluationConfig
    from astromer.evaluation.evaluation import Evaluation, evaluate
    from astromer.records.reader import read_light_curves
    from astromer.serving.export import load_model

    curves = read_light_curves(files, progress=True)
    if not len(curves):
        raise DataNotFoundError(f"{files[0].parent} holds no light curve.")
    scores: list[Evaluation] = []
    for version in versions:
        scores.append(
            evaluate(
                load_model(version),
                curves,
                masking=masking,
                seed=seed,
                batch_size=EvaluationConfig().batch_size,
                earlier=scores[-1] if scores else None,
                progress=True,
            )
        )
    return [{**each.metrics, "table": each.table(by_group=True)} for each in scores]


def comparison_table(
    names: tuple[str, str], found: Mapping[str, Mapping[str, tuple[Any, Any]]]
) -> str:
    """The comparison as text."""
    lines: list[tuple[str, str, str, str]] = []
    for group, pairs in found.items():
        lines.append((group, *names, "difference") if group == "scores" else (group, "", "", ""))
        lines += [
            (f"  {shortened(name, _WIDEST)}", _text(a), _text(b), _difference(a, b))
            for name, (a, b) in pairs.items()
        ]
        if not pairs:
            lines.append(("  none" if group == "scores" else "  no difference", "", "", ""))
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        f"{line[0].ljust(widths[0])}  "
        + "  ".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))
        for line in lines
    ).replace(" \n", "\n")


def _data(facts: Mapping[str, Any]) -> dict[str, Any]:
    data = facts.get("data", {})
    counts = {
        split: {
            name: found[name] for name in ("curves", "observations", "rejected", "bands", "classes")
        }
        for split, found in data.get("splits", {}).items()
    }
    names = ("surveys", "fold", "fingerprint", "missing_errors", "error_fill", "processing")
    return {**{name: data.get(name) for name in names if name in data}, **counts}


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    metadata = config.get("metadata", {})
    kept = {name: value for name, value in metadata.items() if name not in _NOT_SETTINGS}
    return {**{name: value for name, value in config.items() if name != "metadata"}, **kept}


def _paired(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])}


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: pair for name, pair in _paired(one, other).items() if pair[0] != pair[1]}


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.5g}"
    return shortened(f"{value:,.0f}" if isinstance(value, float) else str(value), _MOST)


def _difference(one: Any, other: Any) -> str:
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (one, other))
    return f"{other - one:+.4g}" if numbers and isinstance(one, float) else ""
