"""Writes the HTML page about a validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from astromer.system.environment import require
from astromer.system.html.page import Picture, write_page
from astromer.validation.config import Rule
from astromer.validation.findings import Finding, Validation
from astromer.validation.findings_plots import (
    draw_class_balance,
    draw_distributions,
    draw_finding,
)
from astromer.validation.profile import QUANTITIES, Quantity, SplitProfile

FINDINGS_PAGE = "report.html"
_QUANTILES = (0.05, 0.5, 0.95)


def write_findings_page(validation: Validation, folder: Path) -> Path:
    """Writes ``report.html`` into a folder: one file of HTML and pictures, no scripts.

    Equal validations give equal bytes.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    require("plots", "matplotlib", "jinja2")
    template = Path(__file__).with_name("findings_page.html")
    return write_page(template, _content(validation), folder / FINDINGS_PAGE)


def _content(validation: Validation) -> dict[str, Any]:
    counts = validation.findings.counts()
    profiles = {s: p for s, p in validation.profiles.items() if p.curves}
    return {
        "headline": validation.headline(),
        "reasons": validation.reasons_to_stop(),
        "warnings": validation.warnings(),
        "splits": list(validation.curves),
        "validation": validation,
        "profiles": profiles,
        "broken": [rule for rule in validation.rules if counts[rule.name]],
        "unbroken": [rule for rule in validation.rules if not counts[rule.name]],
        "counts": validation.findings.counts_by_split(),
        "numbers": [_numbers(quantity, profiles) for quantity in QUANTITIES],
        "distances": _distances(validation),
        "distributions": draw_distributions(profiles) if profiles else [],
        "class_balance": draw_class_balance(profiles) if profiles else None,
        "examples": _examples(validation),
    }


class _Numbers(NamedTuple):
    title: str
    unit: str
    ranges: list[tuple[str, ...]]


def _numbers(quantity: Quantity, profiles: dict[str, SplitProfile]) -> _Numbers:
    name = quantity.name
    ranges = [
        tuple(_formatted(name, value) for value in profile.quantiles(name, _QUANTILES))
        for profile in profiles.values()
    ]
    return _Numbers(quantity.title, quantity.unit, ranges)


def _formatted(name: str, value: float) -> str:
    """Whole observations and days, hundredths of a magnitude, else three digits."""
    if name in ("length", "mjd") or value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if name == "mag" else f"{value:.3g}"


def _distances(validation: Validation) -> dict[str, list[tuple[str, float]]]:
    by_split: dict[str, list[tuple[str, float]]] = {}
    for split, name, distance in validation.split_distances():
        by_split.setdefault(split, []).append((name.replace("_", " "), distance))
    return by_split


def _examples(validation: Validation) -> list[tuple[Rule, list[tuple[Finding, Picture | None]]]]:
    """The plotted objects of each rule, in the order of the rules."""
    drawn: dict[str, list[tuple[Finding, Picture | None]]] = {}
    for finding, curve in validation.examples:
        picture = draw_finding(finding, curve, validation.limits)
        drawn.setdefault(finding.rule, []).append((finding, picture))
    return [(rule, drawn[rule.name]) for rule in validation.rules if rule.name in drawn]
