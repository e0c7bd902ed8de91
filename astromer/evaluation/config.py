"""When a trained model is blessed."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob


@dataclass(frozen=True)
class EvaluationConfig(Config):
    """When a trained model is blessed."""

    max_rmse_increase: float = knob(
        0.05,
        "hidden-step RMSE may exceed the pushed model's by this fraction (seed noise)",
        bounds="[0, inf)",
    )
    max_rmse_over_mean: float = knob(
        0.02,
        "hidden-step RMSE may exceed that of the window's mean by this fraction: of pure noise no "
        "model is better than the mean, and one of few curves a little worse",
        bounds="[0, inf)",
    )
    batch_size: int = knob(
        256, "windows per evaluation step; changes speed only", bounds="[1, inf)"
    )
