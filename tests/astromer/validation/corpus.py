"""Broken light curves, one for each rule, among good ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurve
from tests.pipeline.folds import encode, make_curves, write_records

SIZES = {"train": 24, "validation": 12, "test": 12}
BAD = 5
"""Position of the broken object in its split."""

Spoil = Callable[[LightCurve], "bytes | LightCurve"]


def _set(series: str, value: float, at: slice = slice(3, 4)) -> Spoil:
    def spoil(curve: LightCurve) -> LightCurve:
        values = getattr(curve, series).copy()
        values[at] = value
        return replace(curve, **{series: values})

    return spoil


def _cut(series: str, count: int) -> Spoil:
    return lambda curve: raw(curve, **{series: getattr(curve, series)[:count]})


def _without(series: str) -> Spoil:
    return lambda curve: raw(curve, **{series: None})


def raw(curve: LightCurve, **series: np.ndarray | None) -> bytes:
    """A record with whatever series; None leaves the list out."""
    record = tf.train.SequenceExample()
    record.context.feature["ID"].bytes_list.value.append(curve.id.encode())
    for name in ("mjd", "mag", "errmag"):
        values = series.get(name, getattr(curve, name))
        if values is not None:
            feature = record.feature_lists.feature_list[name].feature.add()
            feature.float_list.value.extend(values)
    return record.SerializeToString()


def renamed_list(serialized: bytes, name: str, other: str) -> bytes:
    """The record with a feature list called otherwise."""
    record = tf.train.SequenceExample.FromString(serialized)
    lists = record.feature_lists.feature_list
    lists[other].CopyFrom(lists[name])
    del lists[name]
    return record.SerializeToString()


def with_residuals(curve: LightCurve, residual: np.ndarray) -> bytes:
    """The record with another ``mjd_residual``."""
    record = tf.train.SequenceExample.FromString(raw(curve))
    feature = record.feature_lists.feature_list["mjd_residual"].feature.add()
    feature.float_list.value.extend(residual)
    return record.SerializeToString()


def _unsorted(curve: LightCurve) -> LightCurve:
    mjd = curve.mjd.copy()
    mjd[7], mjd[8] = mjd[8], mjd[7]
    return replace(curve, mjd=mjd)


def _repeated(curve: LightCurve) -> LightCurve:
    mjd = curve.mjd.copy()
    mjd[8] = mjd[7]
    return replace(curve, mjd=mjd)


def _first(count: int) -> Spoil:
    return lambda curve: replace(
        curve, mjd=curve.mjd[:count], mag=curve.mag[:count], errmag=curve.errmag[:count]
    )


def _in_days(span: float) -> Spoil:
    def spoil(curve: LightCurve) -> LightCurve:
        mjd = 59000 + (curve.mjd - curve.mjd[0]) / np.ptp(curve.mjd) * span
        return replace(curve, mjd=mjd)

    return spoil


OBJECTS: dict[str, tuple[str, Spoil, str]] = {
    "no magnitudes": ("missing_series", _without("mag"), "has no magnitudes (mag)"),
    "no times": ("missing_series", _cut("mjd", 0), "has no times (mjd)"),
    "empty": (
        "missing_series",
        lambda c: raw(c, mjd=c.mjd[:0], mag=c.mag[:0], errmag=c.errmag[:0]),
        "is an empty light curve",
    ),
    "no lists": (
        "missing_series",
        lambda c: raw(c, mjd=None, mag=None, errmag=None),
        "is an empty",
    ),
    "lists by other names": (
        "missing_series",
        lambda c: renamed_list(renamed_list(raw(c), "mjd", "time"), "mag", "flux"),
        "has no times (mjd) and no magnitudes (mag), but lists called flux, time",
    ),
    "fewer residuals": (
        "wrong_residual",
        lambda c: with_residuals(c, c.mag[:5] * 0),
        "has 5 mjd_residual for",
    ),
    "large residual": (
        "wrong_residual",
        lambda c: with_residuals(c, c.mag * 0 - 2),
        "mjd_residual reaches 2 days, more than 0.5",
    ),
    "fewer errors": ("unequal_lengths", _cut("errmag", 5), "errmag 5"),
    "fewer times": ("unequal_lengths", _cut("mjd", 11), "mjd 11"),
    "nan magnitude": ("not_finite", _set("mag", np.nan), "mag[3] = nan"),
    "infinite time": ("not_finite", _set("mjd", np.inf), "mjd[3] = inf"),
    "infinite error": ("not_finite", _set("errmag", np.inf), "errmag[3] = inf"),
    "nan error": ("missing_errmag", _set("errmag", np.nan), "errmag[3] = nan is missing"),
    "no errors": ("missing_errmag", _without("errmag"), "has no errors (errmag)"),
    "time goes back": ("unsorted_mjd", _unsorted, "is not after mjd[7]"),
    "time repeats": ("repeated_mjd", _repeated, "is the time of mjd[7] too"),
    "julian date": (
        "mjd_out_of_range",
        lambda c: replace(c, mjd=c.mjd + 2400000.5),
        "is not in [0, 200000]",
    ),
    "sentinel": ("mag_out_of_range", _set("mag", 99.999), "mag[3] = 99.999 is not in [-30, 40]"),
    "zero error": ("errmag_out_of_range", _set("errmag", 0), "errmag[3] = 0 is not in (0, 1)"),
    "vanishing error": ("errmag_out_of_range", _set("errmag", 1e-42), "errmag[3] = 1.00053e-42"),
    "huge error": ("errmag_out_of_range", _set("errmag", 5), "errmag[3] = 5 is not in (0, 1)"),
    "negative error": ("errmag_out_of_range", _set("errmag", -0.1), "errmag[3] = -0.1"),
    "four observations": ("too_short", _first(4), "has 4 observations, fewer than 5"),
    "one observation": ("too_short", _first(1), "has 1 observation, fewer than 5"),
    "one visit": ("time_span", _in_days(0.005), "spans 0.005 days"),
    "zero time": ("time_span", _set("mjd", 0.001, slice(0, 1)), "outside 0.01 to 45000"),
}
"""What is broken: the rule, how, and what is said about it."""


def write_splits(folder: Path, **splits: list[bytes | LightCurve]) -> Path:
    """Writes a fold of good light curves; given splits replace made-up ones."""
    for seed, (split, size) in enumerate(SIZES.items()):
        records = splits.get(split) or good(split, size, seed)
        encoded = [r if isinstance(r, bytes) else encode(r) for r in records]
        write_records(folder / split / "0.record", encoded)
    return folder


def good(split: str, size: int | None = None, seed: int | None = None) -> list:
    """Good light curves, the same ones for a split each time."""
    number = list(SIZES).index(split)
    return list(make_curves(size or SIZES[split], number if seed is None else seed))


def spoilt(name: str, split: str = "train") -> list[bytes | LightCurve]:
    """The light curves of a split, with one broken."""
    curves = good(split)
    curves[BAD] = OBJECTS[name][1](curves[BAD])
    return curves
