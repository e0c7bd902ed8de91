"""Compares versions: scores, data and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from astromer.serving.saved_model import flat, read_facts, try_read_config
from astromer.system.errors import DataNotFoundError
from astromer.system.text import shortened
from astromer.windows.config import MaskingConfig

SCORES = (
    *("hidden_rmse", "hidden_r2", "mean_hidden_rmse", "interpolation_hidden_rmse"),
    *("harmonic_hidden_rmse", "harmonic_curve_hidden_rmse"),
    *("skill_over_mean", "skill_over_interpolation", "probed_rmse", "hidden_steps", "windows"),
)
_SERVED = ("macro_f1", "accuracy")
_NOT_SETTINGS = ("summary", "train_profile", "processing", "course", "machine")
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
