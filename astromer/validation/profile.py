"""What the light curves of a split are like, in a size that does not grow with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from astromer.records.reader import RecordBatch
from astromer.system.errors import DataAnomalyError
from astromer.validation.distance import distance
from astromer.validation.quantities import BINS, QUANTITIES, Quantity

OTHERS = "(others)"
UNKNOWN = "(unknown)"
_MOST_NAMES = 1000
_BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}


@dataclass(frozen=True, eq=False)
class SplitProfile:
    """Counts and histograms of light curves; about 15 kB.

    Attributes:
        curves: number of light curves.
        observations: number of observations.
        histograms: int64 [BINS + 2] for each of QUANTITIES, by name: the bins, with what is
            below and above them at the ends.
        classes: light curves by class: its name, else its label, else "(unknown)". Beyond
            1,000 names the rarest are joined as "(others)".
        bands: light curves by band, in the same way.
    """

    curves: int
    observations: int
    histograms: Mapping[str, np.ndarray]
    classes: Mapping[str, int]
    bands: Mapping[str, int]

    @classmethod
    def empty(cls) -> SplitProfile:
        """Of no light curves."""
        zeros = {quantity.name: np.zeros(BINS + 2, np.int64) for quantity in QUANTITIES}
        return cls(0, 0, zeros, {}, {})

    @classmethod
    def of(cls, batch: RecordBatch, keep: np.ndarray) -> SplitProfile:
        """Of the light curves of a batch of B that are True in ``keep``, bool [B]."""
        keep = keep & (batch.lengths > 0)
        contexts = batch.contexts()
        chosen = [contexts[row] for row in np.flatnonzero(keep)]
        if not chosen:
            return cls.empty()
        mjd, mag, errmag = batch.mjd, batch.mag, batch.errmag
        if not keep.all():
            observations = np.repeat(keep, batch.lengths)
            mjd, mag, errmag = mjd[observations], mag[observations], errmag[observations]
        lengths = batch.lengths[keep]
        starts = np.cumsum(lengths) - lengths
        span = np.maximum.reduceat(mjd, starts) - np.minimum.reduceat(mjd, starts)
        values = {"length": lengths, "mag": mag, "errmag": errmag, "time_span": span, "mjd": mjd}
        histograms = {name: _count(_BY_NAME[name].bins_of(v)) for name, v in values.items()}
        histograms["cadence"] = _count(_cadence(mjd, lengths))
        return cls(
            len(chosen),
            int(lengths.sum()),
            histograms,
            _names(_class_name(c.class_name, c.label) for c in chosen),
            _names(c.band or UNKNOWN for c in chosen),
        )

    def merge(self, other: SplitProfile) -> SplitProfile:
        """Of the light curves of both; the order of several does not matter."""
        return SplitProfile(
            self.curves + other.curves,
            self.observations + other.observations,
            {name: counts + other.histograms[name] for name, counts in self.histograms.items()},
            _limited(Counter(self.classes) + Counter(other.classes)),
            _limited(Counter(self.bands) + Counter(other.bands)),
        )

    def quantiles(self, name: str, fractions: Iterable[float]) -> list[float]:
        """Quantiles of a quantity, to the width of its bins; NaN without light curves."""
        quantity, counts = _BY_NAME[name], self.histograms[name]
        if not counts.sum():
            return [float("nan") for _ in fractions]
        # What lies outside the bins is put at their ends.
        inside = counts[1:-1].copy()
        inside[0] += counts[0]
        inside[-1] += counts[-1]
        reached = np.concatenate([[0], np.cumsum(inside)]) / inside.sum()
        edges = np.log(quantity.edges) if quantity.log else quantity.edges
        found = [_invert(reached, edges, fraction) for fraction in fractions]
        return [float(np.exp(value)) if quantity.log else value for value in found]

    def distance(self, other: SplitProfile) -> dict[str, float]:
        """Jensen-Shannon distance for each quantity and for "classes", 0 to 1.

        What chance explains is taken off; see :func:`astromer.validation.distance.distance`.
        """
        curves = (self.curves, other.curves)
        found = {
            name: distance(counts, other.histograms[name], curves, ordered=True)
            for name, counts in self.histograms.items()
        }
        names = sorted({*self.classes, *other.classes})
        ours, theirs = (
            np.array([classes.get(name, 0) for name in names], np.int64)
            for classes in (self.classes, other.classes)
        )
        return {**found, "classes": distance(ours, theirs, curves, ordered=False)}

    def to_dict(self) -> dict[str, Any]:
        """The profile as plain JSON types, with the edges of the bins."""
        return {
            "curves": self.curves,
            "observations": self.observations,
            "classes": dict(self.classes),
            "bands": dict(self.bands),
            "histograms": {
                quantity.name: {
                    **_edges(quantity),
                    "unit": quantity.unit,
                    "counts": self.histograms[quantity.name].tolist(),
                }
                for quantity in QUANTITIES
            },
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> SplitProfile:
        """What :meth:`to_dict` gave.

        Raises:
            DataAnomalyError: the profile has other quantities or bins, as of another version.
        """
        stored = plain["histograms"]
        for quantity in QUANTITIES:
            given = stored.get(quantity.name, {})
            wanted = _edges(quantity)
            if {key: given.get(key) for key in wanted} != wanted:
                raise DataAnomalyError(
                    f"a stored profile counts {quantity.name} in other bins than this version: "
                    f"{wanted} is expected, received {given or 'nothing'}. Make it again."
                )
        return cls(
            int(plain["curves"]),
            int(plain["observations"]),
            {q.name: np.array(stored[q.name]["counts"], np.int64) for q in QUANTITIES},
            _limited(Counter(plain["classes"])),
            _limited(Counter(plain["bands"])),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SplitProfile) and self.to_dict() == other.to_dict()


def _edges(quantity: Quantity) -> dict[str, Any]:
    return {"low": quantity.low, "high": quantity.high, "log": quantity.log, "bins": BINS}


def _count(bins: np.ndarray) -> np.ndarray:
    return np.bincount(bins, minlength=BINS + 2).astype(np.int64)


def _cadence(mjd: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """int64, the bin of the median time step of each curve that has steps.

    The bins are counted instead of sorting the steps: less work, and no finer value is kept.
    """
    steps = np.diff(mjd)
    curve = np.repeat(np.arange(len(lengths)), lengths)
    same = curve[1:] == curve[:-1]
    bins = _BY_NAME["cadence"].bins_of(np.abs(steps[same]))
    keys = curve[1:][same] * (BINS + 2) + bins
    counts = np.bincount(keys, minlength=len(lengths) * (BINS + 2)).reshape(-1, BINS + 2)
    reached = np.cumsum(counts[lengths > 1], axis=1)
    middle: np.ndarray = np.argmax(2 * reached >= reached[:, -1:], axis=1)
    return middle


def _invert(reached: np.ndarray, edges: np.ndarray, fraction: float) -> float:
    """Where the cumulative share reaches a fraction; empty bins at the ends are left out."""
    rises = np.flatnonzero(np.diff(reached) > 0)
    index = rises[min(int((reached[rises + 1] < fraction).sum()), len(rises) - 1)]
    low, high = reached[index], reached[index + 1]
    share = np.clip((fraction - low) / (high - low), 0, 1)
    return float(edges[index] + share * (edges[index + 1] - edges[index]))


def _class_name(name: str, label: int) -> str:
    return name or (str(label) if label >= 0 else UNKNOWN)


def _names(names: Iterable[str]) -> dict[str, int]:
    return _limited(Counter(names))


def _limited(counts: Counter[str]) -> dict[str, int]:
    """The commonest names, most first, the rest together; equally common ones by name."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ordered[:_MOST_NAMES])
    rest = sum(count for _, count in ordered[_MOST_NAMES:])
    if rest:
        kept[OTHERS] = kept.get(OTHERS, 0) + rest
    return kept
