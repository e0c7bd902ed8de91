"""Writes a validation into a folder: files, an HTML page with plots, a table for the terminal."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from astromer.light_curves import LightCurve
from astromer.records.config import LightCurveRules
from astromer.records.fold import SPLITS
from astromer.system.atomic import replace_folder
from astromer.system.config import to_dict
from astromer.system.environment import MissingExtraError, require
from astromer.system.html.page import (
    SPLIT_COLOURS,
    WRONG,
    Picture,
    label,
    new_figure,
    to_picture,
    write_page,
)
from astromer.system.text import csv_cell, other_classes, shortened
from astromer.validation.config import Rule
from astromer.validation.curve_check import marked_observations
from astromer.validation.findings import Finding, Findings, Validation
from astromer.validation.profile import OTHERS, QUANTITIES, Quantity, SplitProfile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_HEIGHT = 0.1
_SHORT_SPAN = 20.0  # days, below which dates are shown as days since a round date
_SHOWN = 0.9995
_STYLES = {"train": "-", "validation": "--", "test": ":"}
_MOST_CLASSES = 24


def draw_finding(finding: Finding, curve: LightCurve, limits: LightCurveRules) -> Picture | None:
    """Magnitude with errors against time, bright at the top; None without observations.

    The axes fit the good observations. A wrong one beyond them is a triangle at the edge; one
    without time or magnitude is a line at what it has.
    """
    if not len(curve):
        return None
    wrong = marked_observations(finding.rule, curve, limits)
    mag, errmag = curve.mag.astype(np.float64), curve.errmag.astype(np.float64)
    figure, axes = new_figure(4.6, 3.1)
    errors = errmag[np.isfinite(errmag) & (errmag < limits.max_errmag)]
    margin = 2 * float(np.median(errors)) if len(errors) else 0.0
    left, right = _range(curve.mjd, wrong, 0.0)
    bright, faint = _range(mag, wrong, max(margin, _LEAST_HEIGHT / 2))
    # Within a few days they are counted from the first one.
    shown = curve.mjd[(curve.mjd >= left) & (curve.mjd <= right)]
    near = len(shown) and right - left < _SHORT_SPAN
    start = float(np.floor(shown.min())) if near else 0.0
    mjd, left, right = curve.mjd - start, left - start, right - start
    good = ~wrong & np.isfinite(mjd) & np.isfinite(mag)
    _draw_errors(axes, mjd[good], mag[good], errmag[good], SPLIT_COLOURS["train"])
    axes.plot(mjd[good], mag[good], ".", color=SPLIT_COLOURS["train"], markersize=4)
    _draw_wrong(axes, mjd, mag, wrong, (left, right), (bright, faint))
    if finding.rule == "unsorted_mjd":
        for index in np.flatnonzero(wrong)[:200]:
            pair = slice(index - 1, index + 1)
            axes.plot(mjd[pair], mag[pair], color=WRONG, linewidth=0.8, alpha=0.7)
    _draw_errors(axes, mjd[wrong], mag[wrong], errmag[wrong], WRONG)
    axes.set_xlim(left, right)
    axes.set_ylim(faint, bright)
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(axis="x", nbins=5)
    time = "mjd as recorded" if finding.rule == "mjd_out_of_range" else "MJD"
    axes.set_xlabel(f"{time} - {start:.0f} [days]" if start else f"{time} [days]")
    axes.set_ylabel("magnitude [mag]")
    axes.set_title(label(curve.id or "without id", 40), fontsize=9, parse_math=False)
    name = curve.id or "an object without id"
    return to_picture(figure, f"Light curve of {name}, which breaks {finding.rule}", "png")


def _range(values: np.ndarray, wrong: np.ndarray, least_margin: float) -> tuple[float, float]:
    """An interval around the good values, or all if no two are good, with a margin."""
    finite = np.isfinite(values)
    good = values[finite & ~wrong]
    chosen = good if len(good) > 1 else values[finite]
    if not len(chosen):
        return 0.0, 1.0
    low, high = float(chosen.min()), float(chosen.max())
    # A wrong value that is not far away lies within the axes.
    near = values[finite & (values > low - (high - low)) & (values < high + (high - low))]
    low, high = float(near.min(initial=low)), float(near.max(initial=high))
    margin = max(0.08 * (high - low), least_margin, 1e-3)
    return low - margin, high + margin


def _draw_errors(
    axes: Axes, mjd: np.ndarray, mag: np.ndarray, errmag: np.ndarray, colour: str
) -> None:
    drawn = np.isfinite(errmag) & (errmag > 0) & np.isfinite(mjd) & np.isfinite(mag)
    if drawn.any():
        axes.errorbar(
            mjd[drawn],
            mag[drawn],
            errmag[drawn].clip(max=1e3),
            fmt="none",
            ecolor=colour,
            elinewidth=0.7,
            alpha=0.5,
        )


def _draw_wrong(
    axes: Axes,
    mjd: np.ndarray,
    mag: np.ndarray,
    wrong: np.ndarray,
    times: tuple[float, float],
    mags: tuple[float, float],
) -> None:
    bright, faint = mags
    for x in mjd[wrong & np.isfinite(mjd) & ~np.isfinite(mag)]:
        axes.axvline(x, color=WRONG, linewidth=0.9, linestyle="--")
    for y in mag[wrong & ~np.isfinite(mjd) & np.isfinite(mag)]:
        axes.axhline(y, color=WRONG, linewidth=0.9, linestyle="--")
    shown = wrong & np.isfinite(mjd) & np.isfinite(mag)
    x, y = mjd[shown], mag[shown]
    sides = {
        "v": y > faint,
        "^": y < bright,
        "<": (x < times[0]) & (y >= bright) & (y <= faint),
        ">": (x > times[1]) & (y >= bright) & (y <= faint),
    }
    x, y = x.clip(*_inside(times)), y.clip(*_inside(mags))
    near = ~np.logical_or.reduce(list(sides.values()))
    axes.plot(x[near], y[near], "o", color=WRONG, markersize=6, fillstyle="none", markeredgewidth=1)
    axes.plot(x[near], y[near], ".", color=WRONG, markersize=3)
    for marker, beyond in sides.items():
        axes.plot(x[beyond], y[beyond], marker, color=WRONG, markersize=7, clip_on=False, zorder=5)


def _inside(interval: tuple[float, float]) -> tuple[float, float]:
    margin = 0.025 * (interval[1] - interval[0])
    return interval[0] + margin, interval[1] - margin


def draw_distributions(profiles: Mapping[str, SplitProfile]) -> list[Picture]:
    """One histogram for each quantity that has values."""
    return [
        _draw(quantity, profiles)
        for quantity in QUANTITIES
        if any(profile.histograms[quantity.name].sum() for profile in profiles.values())
    ]


def _draw(quantity: Quantity, profiles: Mapping[str, SplitProfile]) -> Picture:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    counts = {split: profile.histograms[quantity.name] for split, profile in profiles.items()}
    bins = _bins(np.sum(list(counts.values()), axis=0), min(p.curves for p in profiles.values()))
    edges = quantity.edges[bins]
    figure, axes = new_figure(4.4, 3.0)
    for split, of_split in counts.items():
        reached = np.concatenate([[0], np.cumsum(of_split[1:-1])])
        shares = np.diff(reached[bins]) / max(of_split.sum(), 1)
        axes.stairs(
            100 * shares,
            edges,
            color=SPLIT_COLOURS.get(split),
            linestyle=_STYLES.get(split, "-"),
            linewidth=1.6,
            label=split,
            fill=False,
        )
        if split == "train":
            axes.stairs(100 * shares, edges, color=SPLIT_COLOURS[split], alpha=0.15, fill=True)
    if quantity.log:
        axes.set_xscale("log")
        if edges[-1] / edges[0] < 8:
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axes.xaxis.set_minor_locator(NullLocator())
        elif edges[-1] / edges[0] < 60:
            axes.xaxis.set_minor_formatter(FuncFormatter(_sparse_log))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.ticklabel_format(axis="x", useOffset=False, style="plain")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    unit = f" [{quantity.unit}]" if quantity.unit else ""
    axes.set_xlabel(f"{quantity.title}{unit}")
    axes.set_ylabel("% of light curves" if quantity.of_curves else "% of observations")
    axes.legend(frameon=False, fontsize=8)
    return to_picture(figure, f"Histogram of {quantity.title} for each split")


def _bins(counts: np.ndarray, curves: int) -> np.ndarray:
    """int64, indices of the edges to draw: the filled range, in wider bins for few curves."""
    inside = counts[1:-1]
    reached = np.cumsum(inside) / max(inside.sum(), 1)
    low = int(np.searchsorted(reached, 1 - _SHOWN))
    high = int(np.searchsorted(reached, _SHOWN)) + 1
    low, high = max(low - 1, 0), min(high + 1, len(inside))
    wanted = int(np.clip(3 * np.cbrt(max(curves, 1)), 6, 60))
    step = max(1, -(-(high - low) // wanted))
    return np.minimum(np.arange(low, high + step, step), len(inside))


def _sparse_log(value: float, position: int | None) -> str:
    """Labels at 2 and 5 times the powers of ten."""
    leading = value / 10 ** np.floor(np.log10(value) + 1e-9)
    return f"{value:g}" if round(leading) in (2, 5) else ""


def draw_class_balance(profiles: Mapping[str, SplitProfile]) -> Picture:
    """Bars, the most common classes first; the rarest of many are joined."""
    names, counts = _joined_classes(profiles)
    shares = counts / np.maximum(counts.sum(axis=0), 1) * 100
    splits = list(profiles)
    thick = 0.8 / len(splits)
    figure, axes = new_figure(6.4, 1.2 + 0.34 * len(names))
    for column, split in enumerate(splits):
        y = np.arange(len(names)) + (column - (len(splits) - 1) / 2) * thick
        axes.barh(y, shares[:, column], thick, color=SPLIT_COLOURS.get(split), label=split)
    axes.set_yticks(np.arange(len(names)))
    # A name may have dollars in it, which would start a formula.
    axes.set_yticklabels([label(name) for name in names], parse_math=False)
    for row, numbers in enumerate(counts):
        text = " / ".join(f"{number:,}" for number in numbers)
        axes.text(
            shares[row].max(initial=0), row, f"  {text}", va="center", fontsize=7.5, color="#555555"
        )
    axes.set_xlim(0, shares.max(initial=1.0) * 1.35)
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= 100])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("% of the split's light curves; numbers: " + " / ".join(splits))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(splits), frameon=False, fontsize=8
    )
    return to_picture(figure, "Share of each class in each split")


def _joined_classes(profiles: Mapping[str, SplitProfile]) -> tuple[list[str], np.ndarray]:
    """Names, most common first, and int64 [names, splits] counts; "(others)" comes last."""
    total: Counter[str] = Counter()
    for profile in profiles.values():
        total.update(profile.classes)
    ordered = sorted((n for n in total if n != OTHERS), key=lambda name: (-total[name], name))
    names = ordered[:_MOST_CLASSES]
    counts = [[profile.classes.get(name, 0) for profile in profiles.values()] for name in names]
    rest = [p.curves - sum(row[i] for row in counts) for i, p in enumerate(profiles.values())]
    if any(rest):
        more = other_classes(ordered[len(names) :]) or "class unknown"
        names = [*names, more if OTHERS not in total else "other classes"]
        counts.append(rest)
    return names, np.array(counts, np.int64).reshape(len(names), len(profiles))


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


FINDINGS_FILE = "findings.parquet"
SHARED_FILE = "shared_test_stars.parquet"
REJECTED_FILE = "rejected.csv"
SUMMARY_FILE = "summary.json"
TABLE_FILE = "table.txt"
_WIDTH = 100


def write_validation(validation: Validation, folder: Path) -> None:
    """Replaces a folder by the findings, the list of rejected objects, numbers and a report.

    ``findings.parquet`` has a row for each object and rule that it breaks, ``rejected.csv``
    one for each object that is left out, ``summary.json`` the numbers, the rules and the
    profiles of the splits, ``table.txt`` the table for the terminal, ``report.html`` plots.
    """
    with replace_folder(folder) as partial:
        write_validation_files(validation, partial)


def write_validation_files(validation: Validation, folder: Path) -> None:
    """Writes the files of :func:`write_validation` into a folder that exists."""
    write_findings(validation.findings, folder / FINDINGS_FILE)
    _write_rejected(validation, folder / REJECTED_FILE)
    summary = {
        "headline": validation.headline(),
        **validation.to_dict(),
        "max_rejected": validation.config.max_rejected,
        "rules": {rule.name: to_dict(rule) for rule in validation.rules},
    }
    (folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    (folder / TABLE_FILE).write_text(f"{terminal_table(validation)}\n", encoding="utf-8")
    try:
        write_findings_page(validation, folder)
    except MissingExtraError as error:
        print(f"no {FINDINGS_PAGE} was made: {error}", file=sys.stderr)


def write_findings(findings: Findings, path: Path) -> None:
    """Writes findings as Parquet, a row for each."""
    with path.open("wb") as file:
        pq.write_table(findings.to_arrow(), file)


def _write_rejected(validation: Validation, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("split", "object_id", "file", "record", "rules"))
        for (split, name, record), broken in validation.rejected_objects().items():
            rules = " ".join(finding.rule for finding in broken)
            object_id = csv_cell(broken[0].object_id)
            writer.writerow((split, object_id, csv_cell(name), record, rules))


def terminal_table(validation: Validation) -> str:
    """The headline, a row for each rule that is broken, then warnings.

    A row has the rule's severity, the objects of each split that break it, and the first of
    them. An object that breaks two rules counts in both rows, but once in the headline.
    """
    lines = [validation.headline()]
    counts = validation.findings.counts_by_split()
    firsts: dict[str, Finding] = {}
    for finding in validation.findings:
        firsts.setdefault(finding.rule, finding)
    broken = [rule for rule in validation.rules if rule.name in firsts]
    wide = max((len(rule.name) for rule in broken), default=0)
    if broken:
        lines.append(f"  {'rule':{wide}}  severity {''.join(f'{s:>11}' for s in SPLITS)}  first")
    for rule in broken:
        numbers = "".join(f"{counts[rule.name, split]:11,}" for split in SPLITS)
        first = firsts[rule.name]
        path = PurePath(first.file)
        name = shortened(first.object_id, 40) or "without id"
        lines += [
            f"  {rule.name:{wide}}  {rule.severity:9}{numbers}  {name} "
            f"(record {first.record} of {path.parent.name}/{path.name})",
            f"  {'':{wide}}  {shortened(first.detail, _WIDTH - wide)}",
        ]
    lines += [f"warning: {text}" for text in validation.warnings()]
    return "\n".join(lines)
