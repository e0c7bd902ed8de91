"""The knobs of the built-in survey."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.records.config import RecordsConfig
from astromer.system.config import Config, knob


@dataclass(frozen=True)
class SurveyConfig(Config):
    """Which survey to make, and how it is divided."""

    curves: int = knob(
        1200,
        "stars in the survey; enough for a small model to beat interpolation in minutes",
        "--curves",
        bounds="[3, 1e6]",
    )
    seed: int = knob(
        RecordsConfig.seed, "seed of the stars and of their division", "--seed", bounds="[0, inf)"
    )
    val_frac: float = knob(
        RecordsConfig.val_frac,
        "fraction of the stars held out for validation",
        "--val-frac",
        bounds="(0, 1)",
    )
    test_frac: float = knob(
        RecordsConfig.test_frac,
        "fraction of the stars held out for the test",
        "--test-frac",
        bounds="(0, 1)",
    )
