"""Odd objects of a survey: a ranking, what sets each apart in words, and artefacts by themselves.

In each of a few respects an object is as odd as its distance to its neighbours is rare, and its
rank is that of its oddest respect. A measurement decided so (docs/vectors.md): a ranking by all
numbers together, and isolation forests, find fewer of the planted objects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from astromer.explore.traits import SLOW
from astromer.serving.embedding_table import EmbeddingTable
from astromer.system.environment import require

RESPECTS = ("period", "amplitude", "shape", "noise", "observations", "embedding")
"""In which an object can be odd."""
FEW_POINTS, DAILY, JUMP, NOTHING = (
    "few points",
    "period of a day",
    "zero-point jump",
    "not embedded",
)
"""Artefacts."""

_NEIGHBOURS = 10
_REFERENCE = 10_000
"""Objects that neighbours are sought among, drawn at random from more: bounds time and memory."""
_COMPONENTS = 20
_NARROWEST = 0.2
_FEWEST = 30
_SIDEREAL = 1.0027379
"""Cycles of the stars' sky in a day."""
_PEAK = 2.0
"""Half the width of a peak, in cycles over the light curve."""
_SIGNIFICANT = 1e-3
_JUMP_SHARE, _JUMP_ERRORS = 0.87, 2.0
"""Of a sine over the whole light curve, the best jump explains 0.84 of the changes."""
_SECOND = 0.15
_LESS = {"shape": 0.3, "observations": 0.3, "embedding": 0.3}
"""Powers of ten that a respect counts less: the more numbers, the more objects are odd by some."""


@dataclass(frozen=True)
class Outliers:
    """The objects of a table, in its order.

    Attributes:
        score: float64 [num_curves], larger for odder ones: by how many powers of ten the oddest
            respect is rare, and a little of the second; NaN for artefacts.
        respect: str [num_curves], the oddest of :data:`RESPECTS`; "" for artefacts.
        reason: str [num_curves], what sets it apart, in words.
        isolation: float64 [num_curves], mean distance to the ten nearest neighbours by the
            embedding, over the survey's median; NaN for what was not embedded.
        artefact: str [num_curves], which artefact it probably is; "" for none.
    """

    score: np.ndarray
    respect: np.ndarray
    reason: np.ndarray
    isolation: np.ndarray
    artefact: np.ndarray

    @property
    def ranking(self) -> np.ndarray:
        """int64 [num_ranked], rows of all that are no artefacts, the oddest first."""
        return np.argsort(-self.score, kind="stable")[: int(np.isfinite(self.score).sum())]

    @property
    def artefacts(self) -> np.ndarray:
        """int64 [num_artefacts], rows."""
        return np.flatnonzero(self.artefact != "")


def find_outliers(table: EmbeddingTable, seed: int = 0) -> Outliers:
    """Ranks the objects of a table.

    Args:
        table: with traits (:data:`astromer.explore.traits.TRAITS`).
        seed: of the draw of reference objects from large tables.

    Raises:
        RecordError: the table has no traits.
        MissingExtraError: scikit-learn is not installed.
    """
    require("finetune", "sklearn")
    data = _Data(table)
    artefact = _artefacts(data, table.usable)
    ranked = np.flatnonzero(artefact == "")
    count = len(table)
    score, isolation = np.full(count, np.nan), np.full(count, np.nan)
    respect, reason = np.full(count, "", object), artefact.astype(object)
    if not len(ranked):
        return Outliers(score, respect.astype(str), reason.astype(str), isolation, artefact)
    rng = np.random.default_rng(seed)
    reference = np.arange(len(ranked))
    if len(ranked) > _REFERENCE:
        reference = np.sort(rng.choice(len(ranked), _REFERENCE, replace=False))
    rarity = np.zeros((len(RESPECTS), len(ranked)))
    for number, name in enumerate(RESPECTS):
        if name == "embedding":
            columns = _principal(table.space.scaled[np.searchsorted(table.space.usable, ranked)])
        else:
            columns = _columns(data, name)[ranked]
        distances = _sparseness(columns, reference)
        rarity[number] = _rarity(distances) - _LESS.get(name, 0.0)
        if name == "embedding":
            middle = float(np.median(distances))
            isolation[ranked] = distances / (middle if middle > 0 else 1.0)
    order = np.sort(rarity, axis=0)
    score[ranked] = order[-1] + _SECOND * order[-2]
    oddest = np.argmax(rarity, axis=0)
    respect[ranked] = np.array(RESPECTS, object)[oddest]
    words = _Words(data, ranked, isolation)
    for row, number in zip(ranked, oddest):
        reason[row] = words.of(RESPECTS[number], int(row))
    return Outliers(score, respect.astype(str), reason.astype(str), isolation, artefact)


class _Data:
    """Columns by name, or ratios ("fade / amplitude"), read once: float64, NaN for none."""

    def __init__(self, table: EmbeddingTable) -> None:
        self._table = table
        self._kept: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._kept:
            part, _, whole = name.partition(" / ")
            values = np.asarray(self._table.column(part), np.float64)
            self._kept[name] = values / np.maximum(self[whole], 1e-3) if whole else values
        return self._kept[name]

    @property
    def folds(self) -> bool:
        """Whether the model searched periods."""
        return "periods" in self._table.columns

    @property
    def false_alarm(self) -> np.ndarray:
        """float64 [num_curves], log10 of the probability, from -6 to 0."""
        if not self.folds:
            return np.zeros(len(self._table))
        return np.log10(np.clip(np.nan_to_num(self["false_alarm_probability"], nan=1), 1e-6, 1))


def _artefacts(data: _Data, usable: np.ndarray) -> np.ndarray:
    """str [num_curves], which artefact each probably is, "" for none."""
    jump = (data["step_share"] > _JUMP_SHARE) & (
        np.abs(data["step"]) > _JUMP_ERRORS * np.nan_to_num(data["error"], nan=0.05)
    )
    daily = np.zeros(len(usable), bool)
    if data.folds and len(usable):
        with np.errstate(divide="ignore"):
            # Of the harmonic series, and of the highest peak, which may be another.
            frequencies = np.nan_to_num(1 / data["periods"][:, :2].T, posinf=0)
        width = _PEAK / np.maximum(data["last_mjd"] - data["first_mjd"], 1)
        for unit in (1.0, _SIDEREAL):
            whole = np.round(frequencies / unit)
            daily |= ((whole >= 1) & (np.abs(frequencies - whole * unit) < width)).any(axis=0)
        # That noise has a peak as high, and there: next to a whole number of either cycles.
        chance = 10**data.false_alarm * np.minimum(4 * width, 1)
        # A slow star, whose alias this is, is worth a look.
        daily &= (chance < _SIGNIFICANT) & (data["roughness"] > SLOW / 2)
    kinds = ((~usable, NOTHING), (data["num_observations"] < _FEWEST, FEW_POINTS))
    found = np.full(len(usable), "", object)
    for condition, name in (*kinds, (jump, JUMP), (daily, DAILY)):
        found[condition & (found == "")] = name
    return found.astype(np.str_)


def _log(values: np.ndarray, least: float) -> np.ndarray:
    return np.asarray(np.log10(np.maximum(np.nan_to_num(values), least)))


def _columns(data: _Data, respect: str) -> np.ndarray:
    """float64 [num_curves, n], on a scale on which 1 is a clear difference.

    Large amplitudes and noise are odd, small ones are not.
    """
    amplitude = np.maximum(data["amplitude"], 1e-3)
    if respect == "period":
        return _above([20 * data["drift"]])
    if respect == "amplitude":
        events = [3 * _log(data[name] + 0.02, 0.01) for name in ("fade", "rise")]
        return _above([3 * _log(amplitude, 1e-3), *events])
    if respect == "shape":
        ratios = [data["fade / amplitude"], data["rise / amplitude"]]
        return _spread([data["skew"], _log(data["roughness"], 1e-3), *ratios, data["swing"]])
    noise = data["unexplained"]
    if respect == "noise":
        errors = np.maximum(np.nan_to_num(data["error"], nan=np.inf), 1e-4)
        excess = np.where(np.isfinite(errors), 4 * _log(noise / errors, 1e-2), 0.0)
        return _above(
            [excess + 3 * _log(noise / np.maximum(data["scatter"], 1e-3), 1e-3) + data.false_alarm]
        )
    return _spread(
        [
            3 * _log(data["num_observations"], 1),
            data["first_mjd"],
            data["last_mjd"],
            _log(data["spacing"], 1e-3),
            3 * _log(data["error"], 1e-4),
        ]
    )


def _above(columns: list[np.ndarray]) -> np.ndarray:
    """What exceeds the median."""
    values = np.nan_to_num(np.stack(columns, axis=1))
    return _spread(list(np.maximum(values - np.median(values, axis=0), 0).T))


def _spread(columns: list[np.ndarray]) -> np.ndarray:
    """In standard deviations that the middle nine tenths have, about the median."""
    values = np.nan_to_num(np.stack(columns, axis=1))
    middle, deviation = _middle_of(values)
    return np.asarray((values - middle) / np.maximum(deviation, _NARROWEST))


def _middle_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Medians along the first axis, and the standard deviations of the middle nine tenths."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
    return middle, (high - low) / 3.3


def _principal(vectors: np.ndarray) -> np.ndarray:
    """float64 [n, components], of unit variance."""
    from sklearn.decomposition import PCA

    number = min(_COMPONENTS, len(vectors) - 1, vectors.shape[1])
    if number < 1:
        return np.zeros((len(vectors), 1))
    made = PCA(number, whiten=True, svd_solver="randomized", random_state=0)
    return np.asarray(made.fit_transform(vectors), np.float64)


def _sparseness(columns: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """float64 [n], mean distance to the nearest reference objects, itself apart."""
    from sklearn.neighbors import NearestNeighbors

    number = min(_NEIGHBOURS, len(reference) - 1)
    if number < 1:
        return np.zeros(len(columns))
    found = NearestNeighbors(n_neighbors=number + 1).fit(columns[reference])
    distances = found.kneighbors(columns)[0]
    own = np.zeros(len(columns), bool)
    own[reference] = True
    return np.where(own, distances[:, 1:].mean(axis=1), distances[:, :-1].mean(axis=1))


def _rarity(distances: np.ndarray) -> np.ndarray:
    """float64 [n], powers of ten by which as large a distance is rare in the table."""
    order = np.argsort(distances, kind="stable")
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order))
    return -np.log10((len(order) - rank) / len(order))


class _Words:
    """Sentences about what sets objects apart, with the figure and the survey's.

    Args:
        data: the table's columns.
        ranked: int64 [num_ranked], the rows of the survey that is no artefact.
        isolation: float64 [num_curves].
    """

    def __init__(self, data: _Data, ranked: np.ndarray, isolation: np.ndarray) -> None:
        self._data, self._ranked, self._isolation = data, ranked, isolation
        self._middles: dict[str, tuple[float, float]] = {}

    def of(self, respect: str, row: int) -> str:
        """Why an object is odd in a respect."""
        makers: dict[str, Callable[[int], str]] = {
            "period": self._period,
            "amplitude": self._amplitude,
            "shape": self._shape,
            "noise": self._noise,
            "observations": self._observations,
        }
        if respect in makers:
            return f"{respect}: {makers[respect](row)}"
        far = self._isolation[row]
        return f"embedding: its neighbours are {far:.1f} times as far as usual"

    def _middle(self, name: str) -> tuple[float, float]:
        """Median and standard deviation of the survey, the latter of the middle nine tenths."""
        if name not in self._middles:
            values = np.nan_to_num(self._data[name][self._ranked])
            middle, deviation = _middle_of(values)
            self._middles[name] = (float(middle), max(float(deviation), 1e-6))
        return self._middles[name]

    def _deviation(self, name: str, row: int) -> float:
        middle, spread = self._middle(name)
        value = float(self._data[name][row])
        return ((value if value == value else 0.0) - middle) / spread

    def _usual(self, name: str) -> float:
        return self._middle(name)[0]

    def _period(self, row: int) -> str:
        share = self._data["drift"][row]
        if share < 0.01:
            return "strictly periodic"
        return f"it changes; a changing one explains {100 * share:.0f} % more of the variance"

    def _amplitude(self, row: int) -> str:
        names = {"amplitude": "varies by", "fade": "fades by", "rise": "brightens by"}
        name = max(names, key=lambda one: self._deviation(one, row))
        value, usual = self._data[name][row], self._usual(name)
        return f"it {names[name]} {value:.2f} mag (survey: {usual:.2f})"

    def _shape(self, row: int) -> str:
        skew, rough = self._data["skew"][row], self._data["roughness"][row]
        fade, rise = self._data["fade"][row], self._data["rise"][row]
        amplitude = self._data["amplitude"][row]
        parts = {
            "skew": f"mostly {'bright' if skew > 0 else 'faint'}, with "
            f"{'drops' if skew > 0 else 'rises'} (skew {skew:.2f})",
            "roughness": f"neighbours in time {'agree' if rough < 0.7 else 'differ'} unusually "
            f"(roughness {rough:.2f})",
            "fade / amplitude": f"a drop of {fade:.2f} mag, {fade / amplitude:.1f} amplitudes",
            "rise / amplitude": f"a rise of {rise:.2f} mag, {rise / amplitude:.1f} amplitudes",
            "swing": f"seasons differ in mean (by {self._data['swing'][row]:.2f} of the scatter)",
        }
        return parts[max(parts, key=lambda one: abs(self._deviation(one, row)))]

    def _noise(self, row: int) -> str:
        noise, error = self._data["unexplained"][row], self._data["error"][row]
        times = f", {noise / error:.1f} times its errors" if error > 0 else ""
        return f"{noise:.2f} mag that no period or trend explains{times}"

    def _observations(self, row: int) -> str:
        texts = {
            "num_observations": "{:.0f} observations",
            "first_mjd": "begins at MJD {:.0f}",
            "last_mjd": "ends at MJD {:.0f}",
            "spacing": "{:.2g} days between observations",
            "error": "errors of {:.3f} mag",
        }
        name = max(texts, key=lambda one: abs(self._deviation(one, row)))
        usual = texts[name].format(self._usual(name))
        return f"{texts[name].format(self._data[name][row])} (survey: {usual})"
