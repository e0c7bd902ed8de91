"""Light curves of any form in ``astromer.load(...).embed(...)`` and ``reconstruct``."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import astromer
from astromer.light_curves import LightCurve
from tools.fuzzing.choices import Choices
from tools.fuzzing.models import a_model_folder
from tools.fuzzing.target import Target, allowed, require
from tools.fuzzing.targets.examples import check_answer


def check(data: bytes, folder: Path) -> None:
    """Every light curve gets an embedding and a status, or all are refused with a reason."""
    choices = Choices(data)
    count = choices.below(4)
    curves: Any = [_curve(choices) for _ in range(count)]
    if count == 1 and choices.truth():
        curves = curves[0]
    zero_point = choices.number() if choices.truth() else None
    size = choices.one_of((1024, 1, 2, 0, -1))
    found = allowed(
        lambda: _embedder().embed(curves, zero_point=zero_point, batch_size=size, progress=False)
    )
    if found is not None:
        check_answer(vars(found), len(found))
    seed, probed = choices.integer(), choices.number()
    made = allowed(
        lambda: _embedder().reconstruct(curves, seed=seed, probed=probed, progress=False)
    )
    for magnitudes, hidden in zip(made.mag, made.hidden, strict=True) if made else ():
        require(magnitudes.shape == hidden.shape, "rows differ in length")


@functools.cache
def _embedder() -> Any:
    return astromer.load(a_model_folder())


def _curve(choices: Choices) -> Any:
    form = choices.below(6)
    mjd, mag, errmag = (_series(choices, kind) for kind in range(3))
    if form == 0:
        return {"mjd": mjd, "mag": mag, "errmag": errmag, "id": choices.text()}
    if form == 1:
        return (mjd, mag, errmag)
    if form == 2:
        return (mjd, mag)
    if form == 3 and not isinstance(mjd, (str, type(None))):
        return LightCurve(np.asarray(mjd), np.asarray(mag), np.asarray(errmag))
    if form == 4:
        return np.zeros((choices.below(5), choices.below(5)))
    return {choices.one_of(("mjd", "time", "flux", "mag")): mjd, "mag": mag}


def _series(choices: Choices, kind: int) -> Any:
    count = choices.below(30)
    form = choices.below(8)
    if form == 0:
        return [choices.number() for _ in range(count)]
    if form == 1:
        return choices.text()
    if form == 2:
        return choices.one_of((None, 5, [], [[1.0]], ["x"], [2**80], [1j], [None, 1.0]))
    plausible = (59000.5, 15.0, 0.02)[kind]
    return np.linspace(plausible, plausible * 1.001, 12)


def seeds() -> Iterable[bytes]:
    """Light curves of every form."""
    return [b"", *(bytes([2, form]) + b"\5\7" * 30 for form in range(6)), bytes(range(120))]


TARGET = Target("curves", "light curves of any form in Python: embed, reconstruct", check, seeds)
