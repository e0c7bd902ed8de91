"""The rules of validation: name, severity, reason, advice and threshold of each.

How a rule about a single light curve is checked is in :mod:`astromer.validation.curve_check`, and
how duplicates are found in :mod:`astromer.validation.duplicates`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from astromer.records.config import LightCurveRules
from astromer.system.config import Assignment, Config, knob

SEVERITIES = REJECT, WARN, STOP, OFF = ("reject", "warn", "stop", "off")
_UNUSABLE = (REJECT, STOP)
"""No model can be trained on a light curve that breaks such a rule."""
_NOT_OF_A_CURVE = (WARN, STOP, OFF)
_RULE = Assignment("--rule", "SEVERITY", "severity of a rule: reject, warn, stop or off")


def _rule(
    severity: str,
    reason: str,
    advice: str,
    threshold: str = "",
    choices: tuple[str, ...] = SEVERITIES,
) -> Any:
    """A field of ``ValidationConfig``; see :class:`Rule`. "{limits.NAME}" is filled in."""
    metadata = knob(severity, reason, choices=choices, assigned=_RULE).metadata
    return field(default=severity, metadata={**metadata, "advice": advice, "threshold": threshold})


@dataclass(frozen=True)
class ValidationConfig(Config):
    """What becomes of light curves that break a rule: a severity for each rule.

    ``reject`` leaves the light curve out, ``warn`` keeps and reports it, ``stop`` ends the run,
    ``off`` skips the rule. The thresholds are those of :class:`LightCurveRules`.
    """

    max_rejected: float = knob(
        0.05,
        "fraction of the light curves that may be rejected; more mean a fault in the survey",
        "--max-rejected",
        bounds="[0, 1]",
    )
    missing_series: str = _rule(
        REJECT,
        "without times or magnitudes there is no light curve",
        "write mjd, mag and errmag for every object, or leave it out",
        choices=_UNUSABLE,
    )
    unequal_lengths: str = _rule(
        REJECT,
        "which values belong to one observation is unknown",
        "write the three series from the same rows of the survey",
        choices=_UNUSABLE,
    )
    not_finite: str = _rule(
        REJECT,
        "one NaN or infinity makes the whole model NaN",
        "drop such observations; create_records does",
        choices=_UNUSABLE,
    )
    wrong_residual: str = _rule(
        REJECT,
        "mjd_residual is what float32 lost of each time: others make the times wrong",
        "write mjd_residual and mjd from the same rows, or leave it out",
        "as many as mjd, up to {limits.max_residual:g} days each",
    )
    missing_errmag: str = _rule(
        REJECT,
        "errors are never made up silently; a policy can fill them",
        "choose --missing-errors constant or scatter, or leave such objects out",
        choices=_UNUSABLE,
    )
    unsorted_mjd: str = _rule(
        REJECT,
        "times that go back hint at mixed objects or time systems",
        "sort the observations by time; warn trains on the sorted curve",
    )
    repeated_mjd: str = _rule(
        REJECT,
        "one telescope measures a star once at a time: a repeated or rounded observation",
        "drop repeats; create_records does",
    )
    mjd_out_of_range: str = _rule(
        REJECT,
        "the times are in another system, for instance JD",
        "convert the times to MJD in days (JD - 2400000.5)",
        "{limits.min_mjd:g} <= mjd <= {limits.max_mjd:g} days",
    )
    mag_out_of_range: str = _rule(
        REJECT,
        "a sentinel such as 99.999 is taken for a magnitude",
        "drop sentinels; convert fluxes to magnitudes",
        "{limits.min_mag:g} <= mag <= {limits.max_mag:g}",
    )
    errmag_out_of_range: str = _rule(
        REJECT,
        "errors of zero or above a magnitude are failed fits",
        "drop such observations; create_records does",
        "{limits.min_errmag:g} < errmag < {limits.max_errmag:g} mag",
    )
    too_short: str = _rule(
        REJECT,
        "too few observations say nothing about variability",
        "leave such objects out",
        "at least {limits.min_observations} observations",
    )
    time_span: str = _rule(
        REJECT,
        "one visit, or a sentinel among the times",
        "look for zeros among the times, or leave such objects out",
        "{limits.min_time_span:g} to {limits.max_time_span:g} days",
    )
    constant_mag: str = _rule(
        WARN,
        "magnitudes that are all equal are a placeholder, or rounded",
        "check whether the survey fills in missing magnitudes",
    )
    missing_id: str = _rule(
        WARN,
        "a light curve without a name is kept, but cannot be traced",
        "write a context feature ID",
    )
    duplicate_id: str = _rule(
        REJECT,
        "the same object in the same band twice counts twice",
        "keep one record of each object and band; the first is kept",
    )
    duplicate_curve: str = _rule(
        REJECT,
        "the same observations under another name count twice",
        "find out which name is right; the first is kept",
    )
    leaked_star: str = _rule(
        REJECT,
        "a star that is trained on and tested on flatters the model",
        "divide the survey by star; test is kept, then validation",
    )
    leaked_curve: str = _rule(
        REJECT,
        "a renamed copy in another split flatters the model too",
        "divide the survey after removing copies; test is kept, then validation",
    )
    shared_test_star: str = _rule(
        WARN,
        "a star in the test split of two folds makes their scores dependent",
        "make the folds in one go, with create_records --folds",
        choices=_NOT_OF_A_CURVE,
    )
    data_drift: str = _rule(
        WARN,
        "data unlike those of the pushed model may be meant: another survey, a new release",
        "give another --output for another survey",
        "Jensen-Shannon distance up to {limits.max_split_distance:g}",
        choices=_NOT_OF_A_CURVE,
    )


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
    return tuple(
        Rule(
            name=row.name,
            severity=getattr(config, row.name),
            threshold=row.metadata["threshold"].format(limits=limits),
            reason=row.metadata["reason"],
            advice=row.metadata["advice"],
        )
        for row in dataclasses.fields(config)
        if "advice" in row.metadata
    )
