"""A severity for every rule that a light curve can break."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob

SEVERITIES = ("reject", "warn", "stop", "off")


_UNUSABLE = ("reject", "stop")
"""No model can be trained on a light curve that breaks such a rule."""


@dataclass(frozen=True)
class ValidationConfig(Config):
    """What becomes of light curves that break a rule: a severity for each rule.

    ``reject`` leaves the light curve out, ``warn`` keeps and reports it, ``stop`` ends the run,
    ``off`` does not look. The thresholds are those of :class:`LightCurveRules`.
    """

    max_rejected: float = knob(
        0.05,
        "fraction of the light curves that may be rejected; more mean a fault in the survey",
        "--max-rejected",
        bounds="[0, 1]",
    )
    missing_series: str = knob(
        "reject", "without times or magnitudes there is no light curve", choices=_UNUSABLE
    )
    unequal_lengths: str = knob(
        "reject", "which values belong to one observation is unknown", choices=_UNUSABLE
    )
    not_finite: str = knob(
        "reject", "one NaN or infinity makes the whole model NaN", choices=_UNUSABLE
    )
    wrong_residual: str = knob(
        "reject",
        "mjd_residual is what float32 lost of each time: others make the times wrong",
        choices=SEVERITIES,
    )
    missing_errmag: str = knob(
        "reject", "errors are never made up silently; a policy can fill them", choices=_UNUSABLE
    )
    unsorted_mjd: str = knob(
        "reject",
        "times that go back hint at mixed objects or time systems",
        choices=SEVERITIES,
    )
    repeated_mjd: str = knob(
        "reject",
        "one telescope measures a star once at a time: a repeated or rounded observation",
        choices=SEVERITIES,
    )
    mjd_out_of_range: str = knob(
        "reject", "the times are in another system, for instance JD", choices=SEVERITIES
    )
    mag_out_of_range: str = knob(
        "reject", "a sentinel such as 99.999 is taken for a magnitude", choices=SEVERITIES
    )
    errmag_out_of_range: str = knob(
        "reject", "errors of zero or above a magnitude are failed fits", choices=SEVERITIES
    )
    too_short: str = knob(
        "reject", "too few observations say nothing about variability", choices=SEVERITIES
    )
    time_span: str = knob("reject", "one visit, or a sentinel among the times", choices=SEVERITIES)
    constant_mag: str = knob(
        "warn", "magnitudes that are all equal are a placeholder, or rounded", choices=SEVERITIES
    )
    missing_id: str = knob(
        "warn", "a light curve without a name is kept, but cannot be traced", choices=SEVERITIES
    )
    duplicate_id: str = knob(
        "reject", "the same object in the same band twice counts twice", choices=SEVERITIES
    )
    duplicate_curve: str = knob(
        "reject", "the same observations under another name count twice", choices=SEVERITIES
    )
    leaked_star: str = knob(
        "reject", "a star that is trained on and tested on flatters the model", choices=SEVERITIES
    )
    leaked_curve: str = knob(
        "reject", "a renamed copy in another split flatters the model too", choices=SEVERITIES
    )
    shared_test_star: str = knob(
        "warn",
        "a star in the test split of two folds makes their scores dependent",
        choices=("warn", "stop", "off"),
    )
    data_drift: str = knob(
        "warn",
        "data unlike those of the pushed model may be meant: another survey, a new release",
        choices=("warn", "stop", "off"),
    )
