"""Whether a version may be promoted: its files are whole, and a model server could load it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.serving.load_check import check_servable

_LENGTHS = (5, 60, 250)


def check_loads(version: Path) -> None:
    """Loads a version as a model server does, and asks about some made-up light curves.

    Raises:
        ModelError: it does not load, or does not answer as it does in Python.
    """
    rng = np.random.default_rng(0)
    curves = []
    for length in _LENGTHS:
        mjd = 55000 + np.sort(rng.uniform(0, 2.0 * length, length))
        mag = 15 + 0.3 * np.sin(mjd / 3) + rng.normal(0, 0.02, length)
        errmag = np.full(length, 0.02, np.float32)
        curves.append(LightCurve(mjd, mag.astype(np.float32), errmag, id=f"trial-{length}"))
    check_servable(version, LightCurves.from_curves(curves))
