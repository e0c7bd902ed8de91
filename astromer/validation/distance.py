"""How unlike two histograms are, beyond what chance makes of few light curves."""

from __future__ import annotations

import numpy as np

_MOST_BINS = 32


def distance(one: np.ndarray, other: np.ndarray, curves: tuple[int, int], ordered: bool) -> float:
    """The Jensen-Shannon distance (base 2) of two histograms, less what chance explains.

    Bins of an ordered quantity are joined to at most 32 that hold about as much each, fewer
    for few light curves. From the divergence is then subtracted what two samples of one
    distribution would show by chance: with k bins and n and m light curves,
    8 ln 2 (1/n + 1/m)^-1 times their divergence is about chi squared with k - 1 degrees of
    freedom; its mean and two standard deviations are taken off. Observations of one light
    curve are alike, so that the number of light curves is the number of independent ones.

    Args:
        one, other: int64 [bins], counts.
        curves: light curves behind each.
        ordered: neighbouring bins may be joined; False for names.

    Returns:
        0 (alike as far as anyone can tell) to 1 (nothing in common); 0 where one is empty.
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
