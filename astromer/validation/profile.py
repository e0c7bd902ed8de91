"""Histograms and counts that describe the light curves of a split, in a few kilobytes.

And how far apart the distributions of two sets of light curves are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.records.reader import RecordBatch
from astromer.system.errors import DataAnomalyError

PROFILES_FILE = "profiles.json"
TRAIN_PROFILE = "train_profile"
"""Key of the profile of the training split in the metadata of a SavedModel."""
OTHERS = "(others)"
NO_NAME = "(unknown)"
BINS = 280


@dataclass(frozen=True)
class Quantity:
    """A quantity that is counted in ``BINS`` bins of equal width, or of equal ratio.

    Attributes:
        name: as in profiles.
        title: for readers.
        unit: "" for a count.
        low, high: outer edges of the bins.
        log: the bins have equal ratios.
        of_curves: one value for each light curve, not for each observation.
    """

    name: str
    title: str
    unit: str
    low: float
    high: float
    log: bool
    of_curves: bool

    @property
    def edges(self) -> np.ndarray:
        """float64 [BINS + 1]."""
        if self.log:
            return np.geomspace(self.low, self.high, BINS + 1)
        return np.linspace(self.low, self.high, BINS + 1)

    def bins_of(self, values: np.ndarray) -> np.ndarray:
        """int64, 0 for values below ``low``, 1 to BINS, BINS + 1 from ``high`` on.

        NaN counts as below, as do values that have no logarithm.
        """
        low, high = self.low, self.high
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.log:
                values, low, high = np.log(values), np.log(low), np.log(high)
            scaled = (values - low) * (BINS / (high - low))
        return np.clip(np.floor(np.nan_to_num(scaled, nan=-1.0)), -1, BINS).astype(np.int64) + 1


QUANTITIES = (
    Quantity("length", "observations per light curve", "", 1.0, 1e5, True, True),
    Quantity("cadence", "median time between observations", "days", 1e-5, 1e4, True, True),
    Quantity("mag", "magnitude", "mag", -30.0, 40.0, False, False),
    Quantity("errmag", "magnitude error", "mag", 1e-5, 10.0, True, False),
    Quantity("time_span", "time span of a light curve", "days", 1e-3, 1e5, True, True),
    Quantity("mjd", "time of observation", "MJD", 10000.0, 80000.0, False, False),
)


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
            _limited(Counter(_class_name(c.class_name, c.label) for c in chosen)),
            _limited(Counter(c.band or NO_NAME for c in chosen)),
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
                    f"A stored profile must count {quantity.name} in the bins {wanted}. "
                    f"Received: {given or 'nothing'}. Make it with this version."
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
    return name or (str(label) if label >= 0 else NO_NAME)


def _limited(counts: Counter[str]) -> dict[str, int]:
    """The most common names first, the rest together; equally common ones by name."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ordered[:_MOST_NAMES])
    rest = sum(count for _, count in ordered[_MOST_NAMES:])
    if rest:
        kept[OTHERS] = kept.get(OTHERS, 0) + rest
    return kept


def write_profiles(profiles: Mapping[str, SplitProfile], folder: Path) -> None:
    """Writes the profiles of the splits beside the records."""
    plain = {split: profile.to_dict() for split, profile in profiles.items()}
    (folder / PROFILES_FILE).write_text(json.dumps(plain), encoding="utf-8")


def read_train_profile(folder: Path) -> dict[str, Any] | None:
    """The training split's profile as plain JSON types; None where none was written."""
    file = folder / PROFILES_FILE
    return json.loads(file.read_text(encoding="utf-8"))["train"] if file.is_file() else None


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
