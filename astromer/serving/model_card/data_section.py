"""Sections about the light curves and what was done to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astromer.serving.model_card.markdown import UNKNOWN, escaped, flat, listed, number, table
from astromer.validation.profile import BINS, QUANTITIES

_SHOWN = ("0.05", "0.25", "0.5", "0.75", "0.95")
_OTHER_TITLES = {"cadence": "days between observations (median of a light curve)"}


def data_section(data: Mapping[str, Any]) -> str:
    """Surveys, counts, classes, bands and quantiles."""
    splits = data["splits"]
    lines = [
        f"Survey: {listed(data['surveys'])}; fold: {escaped(data['fold']) or UNKNOWN}; "
        f"fingerprint of the light curves: `{data['fingerprint'] or UNKNOWN}`.",
    ]
    if not splits:
        return lines[0] + "\n\nCounts and distributions of the light curves are unknown."
    rows = [
        (
            split,
            number(facts["curves"]),
            number(facts["observations"]),
            number(facts["rejected"]),
            listed([f"{name} {count:,}" for name, count in facts["bands"].items()]),
        )
        for split, facts in splits.items()
    ]
    head = ("split", "light curves", "observations", "rejected light curves", "by band")
    lines.append(table(head, rows))
    lines.append(_classes(splits))
    lines.append(_quantiles(splits))
    return "\n\n".join(line for line in lines if line)


def preprocessing_section(data: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """From a survey's values to what the network reads."""
    rules, masking = config.get("rules", {}), config.get("metadata", {}).get("masking", {})
    lines = [
        f"- Light curves are cut into windows of {number(config.get('window_size'))} observations.",
        "- Times and magnitudes of a window: less their means over the steps whose magnitude is "
        "shown (in float64); divided by the spread of the shown magnitudes: "
        f"{number(config.get('normalise'))}.",
        f"- Observations that are used: {_limits(rules)}.",
        f"- Missing errors (`--missing-errors`): {_missing(data)}.",
    ]
    if masking:
        lines.append(
            f"- Masking: a fraction of {number(masking['probed'])} of the steps of a window is "
            f"probed; of these {number(masking['same'])} stay as they are, of the rest "
            f"{number(masking['random'])} show another step's magnitude, and all others are hidden."
        )
    else:
        lines.append(f"- Masking: {UNKNOWN if config.get('head') is None else 'none'}.")
    done = flat(data["processing"])
    told = "; ".join(f"{escaped(name)}: {number(value)}" for name, value in done.items())
    lines.append(f"- Done to the survey's values before: {told or UNKNOWN}.")
    lines.append(f"- Found by the validation: {_findings(data['findings'], bool(data['splits']))}.")
    return "\n".join(lines)


def _classes(splits: Mapping[str, Any]) -> str:
    names = dict.fromkeys(name for facts in splits.values() for name in facts["classes"])
    rows = [
        (escaped(name), *(number(facts["classes"].get(name, 0)) for facts in splits.values()))
        for name in names
    ]
    return table(("light curves by class", *splits), rows) if rows else ""


def _quantiles(splits: Mapping[str, Any]) -> str:
    rows = []
    for quantity in QUANTITIES:
        title = _OTHER_TITLES.get(quantity.name, quantity.title)
        unit = f" [{quantity.unit}]" if quantity.unit and quantity.name in ("mag", "errmag") else ""
        unit = f" [{quantity.unit}]" if quantity.name in ("mjd", "time_span") else unit
        for split, facts in splits.items():
            found = facts["quantiles"].get(quantity.name)
            if found:
                digits = 5 if quantity.name in ("mjd", "mag") else 3
                values = [number(found[fraction], digits) for fraction in _SHOWN]
                rows.append((f"{title}{unit}, {split}", *values))
    if not rows:
        return ""
    even = [q for q in QUANTITIES if not q.log]
    widths = ", ".join(
        f"{(q.high - q.low) / BINS:.3g} {q.unit.replace('MJD', 'days')}" for q in even
    )
    logs = max((q.high / q.low) ** (1 / BINS) - 1 for q in QUANTITIES if q.log)
    head = ("quantiles", *(f"{float(fraction):.0%}" for fraction in _SHOWN))
    return (
        f"{table(head, rows)}\n\nQuantiles are interpolated in the bins of histograms: {widths} "
        f"wide for {' and '.join(q.title for q in even)}, up to {logs:.0%} for the others."
    )


def _limits(rules: Mapping[str, Any]) -> str:
    if not rules:
        return UNKNOWN
    return (
        f"errors between {number(rules['min_errmag'])} and {number(rules['max_errmag'])} mag or "
        "unknown, "
        f"magnitudes from {number(rules['min_mag'])} to {number(rules['max_mag'])}, times from MJD "
        f"{number(rules['min_mjd'])} to {number(rules['max_mjd'])}; a light curve needs "
        f"{number(rules['min_observations'])} of them"
    )


def _missing(data: Mapping[str, Any]) -> str:
    policy = data["missing_errors"]
    if not policy:
        return UNKNOWN
    fill = f", {number(data['error_fill'])} mag" if data["error_fill"] else ""
    return f"{policy}{fill}"


def _findings(findings: Mapping[str, Any], validated: bool) -> str:
    told = [
        f"{found['objects']:,} of `{rule}` ({found['severity'] or 'severity unknown'})"
        for rule, found in findings.items()
    ]
    return ", ".join(told) or ("nothing" if validated else UNKNOWN)
