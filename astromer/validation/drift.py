"""How far apart the distributions of two sets of light curves are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from astromer.system.errors import DataAnomalyError
from astromer.validation.profile import SplitProfile

COMPARED = ("mag", "errmag", "length", "cadence", "time_span")
"""The encoder's input. The dates of the observations are no part of it, and advance from one
data release to the next."""
_MOST_BINS = 32


def data_drift(
    train_profile: Mapping[str, Any] | None, pushed_profile: Mapping[str, Any] | None, most: float
) -> list[str]:
    """In what the training data differ from those of the pushed model.

    Args:
        train_profile: :meth:`SplitProfile.to_dict` of the new training data.
        pushed_profile: that of the pushed model's.
        most: Jensen-Shannon distance up to which two distributions count as alike.

    Returns:
        A sentence for each quantity that differs by more; none where either profile is
        missing, or was made by a version with other bins.
    """
    if train_profile is None or pushed_profile is None:
        return []
    try:
        new, pushed = map(SplitProfile.from_dict, (train_profile, pushed_profile))
    except DataAnomalyError:
        return []
    distances = profile_distances(new, pushed)
    return [
        f"{name} is distributed unlike in the data of the pushed model (Jensen-Shannon distance "
        f"{distances[name]:.2f}, limit {most:.2f})."
        for name in COMPARED
        if distances[name] > most
    ]


def profile_distances(one: SplitProfile, other: SplitProfile) -> dict[str, float]:
    """:func:`histogram_distance` for each quantity and for "classes", 0 to 1."""
    curves = (one.curves, other.curves)
    found = {
        name: histogram_distance(counts, other.histograms[name], curves, ordered=True)
        for name, counts in one.histograms.items()
    }
    names = sorted({*one.classes, *other.classes})
    p, q = (
        np.array([profile.classes.get(name, 0) for name in names], np.int64)
        for profile in (one, other)
    )
    return {**found, "classes": histogram_distance(p, q, curves, ordered=False)}


def histogram_distance(
    one: np.ndarray, other: np.ndarray, curves: tuple[int, int], ordered: bool
) -> float:
    """The Jensen-Shannon distance (base 2) of two histograms, less what chance explains.

    Bins of an ordered quantity are joined to at most 32 of about equal content, fewer for few
    light curves. From the divergence is subtracted what two samples of one distribution would
    show by chance: with k bins and n and m light curves, 8 ln 2 (1/n + 1/m)^-1 times their
    divergence is about chi squared with k - 1 degrees of freedom; its mean and two standard
    deviations are subtracted. Observations of one light curve are alike, so that the number of
    light curves is the number of independent ones.

    Args:
        one, other: int64 [bins], counts.
        curves: light curves behind each.
        ordered: neighbouring bins may be joined; False for names.

    Returns:
        0 (no difference beyond chance) to 1 (nothing in common); 0 where one is empty.
    """
    if not one.sum() or not other.sum() or not min(curves):
        return 0.0
    p, q = one / one.sum(), other / other.sum()
    if ordered:
        p, q = _joined(p, q, int(np.clip(np.sqrt(min(curves)), 2, _MOST_BINS)))
    filled = (p + q) > 0
    p, q = p[filled], q[filled]
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    freedom = len(p) - 1
    chance = (freedom + 2 * np.sqrt(2 * freedom)) * (1 / curves[0] + 1 / curves[1])
    return float(np.sqrt(max(0.0, divergence - chance / (8 * np.log(2)))))


def _joined(p: np.ndarray, q: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Both in the same ``bins`` or fewer, of about equal content for the two together."""
    middle = (p + q) / 2
    centre = np.cumsum(middle) - middle / 2
    group = np.minimum((centre * bins).astype(np.int64), bins - 1)
    return np.bincount(group, p, bins), np.bincount(group, q, bins)


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    """In bits; q is above zero wherever p is."""
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())
