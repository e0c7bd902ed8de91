"""What a conversion took, dropped and wrote: as JSON and as a small table."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from astromer.records.config import LightCurveRules, RecordsConfig
from astromer.records.conversion import Conversion
from astromer.records.fold import SPLITS


def summarise(
    conversion: Conversion, survey: Path, options: RecordsConfig, rules: LightCurveRules
) -> dict[str, Any]:
    """The summary as plain JSON types; the same conversion gives the same summary."""
    read, tally = conversion.survey, conversion.tally
    metadata, dropped = read.metadata, tally.dropped_observations
    observations = int(read.inventory.observations.sum())
    # How many jobs shared the work does not show in the result.
    settings = {k: v for k, v in dataclasses.asdict(options).items() if k != "njobs"}
    return {
        "survey": str(survey),
        "options": settings,
        "rules": dataclasses.asdict(rules),
        "processing": conversion.processing.as_dict(),
        "input": {
            "light_curves": len(metadata),
            "stars": len(np.unique(metadata.stars)),
            "observations": observations + dropped["unknown_light_curve"] + dropped["flagged"],
            "classes": _count(metadata.classes),
        },
        "dropped_observations": dict(dropped),
        "dropped_light_curves": dict(tally.dropped_curves),
        "written": {
            "light_curves": int(tally.written.sum()),
            "stars": len(np.unique(metadata.stars[tally.written])),
            "observations": tally.observations,
            "filled_errors": tally.filled_errors,
        },
        "notes": [*read.notes, *tally.hints()],
        "folds": {
            folder.name: {
                split: _describe(conversion, division == subset)
                for subset, split in enumerate(SPLITS)
            }
            for folder, division in zip(conversion.folders, conversion.divisions, strict=True)
        },
    }


def write_summary(summary: dict[str, Any], path: Path) -> None:
    """Writes the summary in one step."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


def to_table(summary: dict[str, Any]) -> str:
    """The summary in lines for a terminal."""
    taken, written = summary["input"], summary["written"]
    lines = [f"{'':28}{'light curves':>14}{'observations':>16}"]
    lines.append(_row("read", taken["light_curves"], taken["observations"]))
    curves, observations = summary["dropped_light_curves"], summary["dropped_observations"]
    for reason, number in observations.items():
        if number:
            lines.append(_row(f"- {reason.replace('_', ' ')}", "", number))
    for reason, number in curves.items():
        if number:
            lines.append(_row(f"- {reason.replace('_', ' ')}", number, ""))
    lines.append(_row("written", written["light_curves"], written["observations"]))
    for fold, splits in summary["folds"].items():
        for split, part in splits.items():
            lines.append(_row(f"  {fold}/{split}", part["light_curves"], ""))
    if written["filled_errors"]:
        policy = summary["processing"]["missing_errors"]
        lines.append(f"{written['filled_errors']:,} missing error(s) were filled in ({policy})")
    lines += [f"note: {note}" for note in summary["notes"]]
    return "\n".join(lines)


def _describe(conversion: Conversion, chosen: np.ndarray) -> dict[str, Any]:
    chosen = chosen & conversion.tally.written
    return {
        "light_curves": int(chosen.sum()),
        "stars": len(np.unique(conversion.survey.metadata.stars[chosen])),
        "classes": _count(conversion.survey.metadata.classes[chosen]),
    }


def _count(names: np.ndarray) -> dict[str, int]:
    return dict(sorted(Counter(names.tolist()).items()))


def _row(name: str, curves: int | str, observations: int | str) -> str:
    def number(value: int | str) -> str:
        return f"{value:,}" if isinstance(value, int) else value

    return f"{name:28}{number(curves):>14}{number(observations):>16}"
