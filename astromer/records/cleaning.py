"""Which observations of a raw light curve are kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from astromer.records.shards import Chunk
from pipeline_config import LightCurveRules


@dataclass(frozen=True)
class CleanChunk:
    """The light curves of a chunk that are left, with times in order.

    Attributes:
        rows: int64 [C], metadata row of each curve.
        offsets: int64 [C + 1], where each curve starts in the flat arrays.
        mjd: float64, strictly rising in each curve, days.
        mag: float32.
        errmag: float32.
        dropped_observations: number by reason.
        dropped_curves: number by reason.
    """

    rows: np.ndarray
    offsets: np.ndarray
    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    dropped_observations: Counter[str]
    dropped_curves: Counter[str]


def clean(chunk: Chunk, rules: LightCurveRules) -> CleanChunk:
    """Drops bad observations, sorts by time, then drops curves that are too short.

    An observation counts under the first reason that applies: ``not_finite``,
    ``errmag_out_of_range``, ``mag_out_of_range``, ``mjd_out_of_range``,
    ``duplicate_time`` (all but the first of its time are dropped), ``short_curve``.
    """
    curve = np.repeat(np.arange(len(chunk.rows)), chunk.lengths)
    mjd, mag, errmag = chunk.mjd, chunk.mag, chunk.errmag
    # Records hold float32: a time beyond its range would not survive either.
    finite = np.isfinite(mag) & np.isfinite(errmag) & (np.abs(mjd) <= np.finfo(np.float32).max)
    reasons = {
        "not_finite": ~finite,
        "errmag_out_of_range": ~((errmag > rules.min_errmag) & (errmag < rules.max_errmag)),
        "mag_out_of_range": ~((mag >= rules.min_mag) & (mag <= rules.max_mag)),
        "mjd_out_of_range": ~((mjd >= rules.min_mjd) & (mjd <= rules.max_mjd)),
    }
    dropped: Counter[str] = Counter()
    kept = np.ones(len(mjd), bool)
    for reason, bad in reasons.items():
        dropped[reason] = int((kept & bad).sum())
        kept &= ~bad
    order = np.flatnonzero(kept)
    order = order[np.lexsort((mjd[order], curve[order]))]
    same = np.zeros(len(order), bool)
    same[1:] = (np.diff(mjd[order]) == 0) & (np.diff(curve[order]) == 0)
    dropped["duplicate_time"] = int(same.sum())
    order = order[~same]

    lengths = np.bincount(curve[order], minlength=len(chunk.rows))
    long_enough = lengths >= rules.min_observations
    dropped["short_curve"] = int(lengths[~long_enough].sum())
    order = order[long_enough[curve[order]]]
    return CleanChunk(
        rows=chunk.rows[long_enough],
        offsets=np.concatenate([[0], np.cumsum(lengths[long_enough])]).astype(np.int64),
        mjd=mjd[order],
        mag=mag[order],
        errmag=errmag[order],
        dropped_observations=dropped,
        dropped_curves=Counter(
            nothing_left=int((lengths == 0).sum()),
            too_short=int((~long_enough & (lengths > 0)).sum()),
        ),
    )
