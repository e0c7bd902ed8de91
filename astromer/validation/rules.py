"""The rules that validation knows: name, severity, threshold, reason and advice."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from astromer.records.config import LightCurveRules
from astromer.validation.config import ValidationConfig

REJECT, WARN, STOP, OFF = "reject", "warn", "stop", "off"

_ADVICE = {
    "missing_series": "write mjd, mag and errmag for every object, or leave it out",
    "unequal_lengths": "write the three series from the same rows of the survey",
    "not_finite": "drop such observations; create_records does",
    "wrong_residual": "write mjd_residual and mjd from the same rows, or leave it out",
    "missing_errmag": "choose --missing-errors constant or scatter, or leave such objects out",
    "unsorted_mjd": "sort the observations by time; warn trains on the sorted curve",
    "repeated_mjd": "drop repeats; create_records does",
    "mjd_out_of_range": "convert the times to MJD in days (JD - 2400000.5)",
    "mag_out_of_range": "drop sentinels; convert fluxes to magnitudes",
    "errmag_out_of_range": "drop such observations; create_records does",
    "too_short": "leave such objects out",
    "time_span": "look for zeros among the times, or leave such objects out",
    "constant_mag": "look whether the survey fills in missing magnitudes",
    "missing_id": "write a context feature ID",
    "duplicate_id": "keep one record of each object and band; the first is kept",
    "duplicate_curve": "find out which name is right; the first is kept",
    "leaked_star": "divide the survey by star; test is kept, then validation",
    "leaked_curve": "divide the survey after removing copies; test is kept, then validation",
    "shared_test_star": "make the folds in one go, with create_records --folds",
    "data_drift": "give another --output for another survey",
}


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: as in findings and in ``--rule NAME=SEVERITY``.
        severity: "reject", "warn", "stop" or "off".
        threshold: what is allowed, in words; "" where nothing can be set.
        reason: why the rule is there.
        advice: what a user can do about its findings.
    """

    name: str
    severity: str
    threshold: str
    reason: str
    advice: str


def all_rules(
    config: ValidationConfig = ValidationConfig(), limits: LightCurveRules = LightCurveRules()
) -> tuple[Rule, ...]:
    """Every rule, in the order in which findings are listed."""
    thresholds = _thresholds(limits)
    return tuple(
        Rule(
            name=knob.name,
            severity=getattr(config, knob.name),
            threshold=thresholds.get(knob.name, ""),
            reason=knob.metadata["reason"],
            advice=_ADVICE[knob.name],
        )
        for knob in dataclasses.fields(config)
        if "reject" in knob.metadata["choices"] or "warn" in knob.metadata["choices"]
    )


def _thresholds(limits: LightCurveRules) -> dict[str, str]:
    return {
        "mjd_out_of_range": f"{limits.min_mjd:g} <= mjd <= {limits.max_mjd:g} days",
        "mag_out_of_range": f"{limits.min_mag:g} <= mag <= {limits.max_mag:g}",
        "errmag_out_of_range": f"{limits.min_errmag:g} < errmag < {limits.max_errmag:g} mag",
        "wrong_residual": f"as many as mjd, up to {limits.max_residual:g} days each",
        "too_short": f"at least {limits.min_observations} observations",
        "time_span": f"{limits.min_time_span:g} to {limits.max_time_span:g} days",
        "data_drift": f"Jensen-Shannon distance up to {limits.max_split_distance:g}",
    }
