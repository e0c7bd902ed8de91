"""Embeds and reconstructs light curves with a pushed model."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurves
from astromer.records.curve_inputs import as_light_curves
from astromer.serving.checksums import check_undamaged
from astromer.serving.config import ServingConfig
from astromer.serving.embedding_table import Neighbours, similar_rows
from astromer.serving.graph_input import STATUS_TOO_LONG
from astromer.serving.saved_model import load_saved_model, read_config
from astromer.serving.starter.package import identity_of, is_starter
from astromer.serving.versions.folder import latest_version
from astromer.system.errors import LightCurveError, ModelError, UsageError
from astromer.system.parallel import OrderedPool, micro_batches_at_once
from astromer.system.terminal import progress_bar
from astromer.system.text import brief, shortened
from astromer.validation.training_range import RangeCheck

# In one call at most, which bounds memory: some 250 windows of 200. A longer light curve has a call
# of its own.
_OBSERVATIONS_PER_CALL = 50_000


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of a set of light curves, in its order.

    Attributes:
        ids: str [num_curves], "" where unknown.
        mean: float32 [num_curves, d_model], mean over the observed steps.
        max: float32 [num_curves, d_model], maximum over the observed steps.
        num_observations: int64 [num_curves], usable observations.
        status: int32 [num_curves]; 0 = OK, 1 = fewer than 5 usable observations (zeros); see
            :mod:`astromer.serving.graph_input`.
        embedding: float32 [num_curves, d_model + NUM_FEATURES], ``mean`` and features of the light
            curve and its periods (:func:`astromer.serving.curve_features.curve_features`); of a
            model that folds, as those that follow.
        periods: float64 [num_curves, 4], days: that of the best harmonic series, then those of the
            highest peaks of the periodogram; NaN where there is none.
        powers: float64 [num_curves, 3], of these peaks, 0 to 1.
        false_alarm: float64 [num_curves], probability that noise alone has a peak as high as the
            highest (Baluev 2008).
        bands: str [num_curves], "" where unknown.
        model: which model made them: name, version and sha256 of its weights.
    """

    ids: np.ndarray
    mean: np.ndarray
    max: np.ndarray
    num_observations: np.ndarray
    status: np.ndarray
    embedding: np.ndarray | None = None
    periods: np.ndarray | None = None
    powers: np.ndarray | None = None
    false_alarm: np.ndarray | None = None
    bands: np.ndarray | None = None
    model: str = ""

    def __len__(self) -> int:
        return len(self.status)

    @property
    def vectors(self) -> np.ndarray:
        """float32 [num_curves, width], what heads and neighbours read: embedding, or mean."""
        return self.mean if self.embedding is None else self.embedding

    def similar(self, to: Any, number: int = 20) -> Neighbours:
        """The light curves nearest to one or several of these.

        Args:
            to: an id, a row, or several of them.
            number: how many.

        Raises:
            UsageError: there is no such light curve, or it was not embedded.
        """
        return similar_rows(self.vectors, self.status, self.ids, to, number)


@dataclass(frozen=True)
class Reconstructions:
    """Magnitudes that a model predicts from the visible ones, for each light curve.

    Attributes:
        ids: str [num_curves], "" where unknown.
        mag: float32 [n] of each light curve, the prediction for each of its n observations [mag];
            NaN if the observation is not usable or nothing in its window is visible.
        hidden: bool [n] of each light curve, usable observations that were hidden from the model.
        status: int32 [num_curves], as in :class:`Embeddings`.
        sigma: float32 [n] of each light curve, the standard deviation of an observation about its
            prediction [mag]; None where the model predicts none.
    """

    ids: np.ndarray
    mag: list[np.ndarray]
    hidden: list[np.ndarray]
    status: np.ndarray
    sigma: list[np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.status)


class Embedder:
    """A pushed model, as :func:`astromer.load` returns it.

    Its methods take light curves in any form that
    :func:`astromer.records.curve_inputs.as_light_curves` takes.

    Args:
        path: a SavedModel folder, or a folder of versions: then the version that ``latest`` names,
            else the newest; ``starter`` is the model that comes with the package.

    Attributes:
        path: the folder of the version.
        config: its ``config.json``.
        identity: which model it is.
        folds: whether it searches periods.
        limits: of what it takes.

    Raises:
        ModelError: there is none, or it cannot be loaded.
        DamagedVersionError: files have changed since they were pushed.
    """

    def __init__(self, path: str | Path):
        self.path = latest_version(path)
        check_undamaged(self.path)  # a flipped bit in the graph would change embeddings
        self.config: dict[str, Any] = read_config(self.path)
        self.identity = identity_of(self.path)
        try:
            loaded = self._load()
            self.folds = "embed_at_periods" in loaded.signatures
            self._embed_name = "embed_at_periods" if self.folds else "embed_ragged"
            for name in (self._embed_name, "reconstruct", "reconstruct_drawn"):
                if name not in loaded.signatures:
                    raise KeyError(name)
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            raise ModelError(
                f"A pushed model must load and have the signatures of this version. {self.path}: "
                f"{brief(error)}. Export it again."
            ) from error
        self._loaded = loaded  # owns the variables that the signatures use
        self._signatures = loaded.signatures
        self._at_once = OrderedPool(micro_batches_at_once())
        self.limits = _limits(self.config)

    @property
    def _embed(self) -> Any:
        return self._signatures[self._embed_name]  # a starter traces it when it is first asked for

    def _load(self) -> Any:
        if is_starter(self.path):
            from astromer.serving.export import RebuiltModel

            return RebuiltModel(self.path)
        return load_saved_model(self.path)

    def embed(
        self,
        curves: Any,
        *,
        zero_point: Any = None,
        id_column: str | None = None,
        periods: Sequence[float] | np.ndarray | None = None,
        batch_size: int = 1024,
        progress: bool = True,
    ) -> Embeddings:
        """Embeds light curves of any length.

        Args:
            curves: one light curve or many; 5 usable observations each at least.
            zero_point, id_column: for fluxes and long tables, see ``as_light_curves``.
            periods: known periods [days], one for each light curve, of a model that folds; NaN or
                0 searches. None searches all.
            batch_size: light curves per call at most; changes speed and memory only.
            progress: show a bar if it takes more than a second.

        Raises:
            LightCurveError: values cannot be read or do not fit each other, or a light curve has
                more observations than the model takes (``limits``).
            UsageError: an argument is invalid.
        """
        packed = as_light_curves(curves, zero_point=zero_point, id_column=id_column)
        self._refuse_too_long(packed)
        check = self.range_check()
        check.add(packed)
        for line in check.warnings():
            warnings.warn(line, stacklevel=2)
        return self.embed_packed(packed, periods=periods, batch_size=batch_size, progress=progress)

    def range_check(self) -> RangeCheck:
        """Of light curves against those that the model was trained on."""
        return RangeCheck(self.config.get("metadata", {}))

    def embed_packed(
        self,
        packed: LightCurves,
        *,
        periods: Sequence[float] | np.ndarray | None = None,
        batch_size: int = 1024,
        progress: bool = True,
    ) -> Embeddings:
        """As :meth:`embed`, but a light curve that is too long gets zeros and status 4."""
        known = self._known(periods, len(packed))
        parts = [self._no_answers()]
        with progress_bar(
            total=len(packed), desc="embed", unit=" curves", disable=not progress
        ) as bar:
            calls = self._calls(packed, batch_size)
            answers = self._at_once.map(lambda call: self._embed_some(packed, known, *call), calls)
            for part in answers:
                parts.append(part)
                bar.update(len(part["status"]))
        fields = {field.name for field in dataclasses.fields(Embeddings)}
        joined = {
            name: np.concatenate([part[name] for part in parts])
            for name in parts[0].keys() & fields
        }
        return Embeddings(packed.ids, bands=packed.bands, model=str(self.identity), **joined)

    def reconstruct(
        self,
        curves: Any,
        *,
        visible: Sequence[np.ndarray] | np.ndarray | None = None,
        probed: float = 0.5,
        seed: int = 0,
        zero_point: Any = None,
        id_column: str | None = None,
        batch_size: int = 256,
        progress: bool = True,
    ) -> Reconstructions:
        """Hides observations and predicts their magnitudes from the others.

        Args:
            curves: one light curve or many.
            visible: bool [n] for each light curve (or for the one), False to hide a magnitude; by
                default the model draws the hidden ones.
            probed: fraction of each window's observations that it hides then.
            seed: of the draw. Equal seeds hide the same observations of a light curve.
            zero_point, id_column, batch_size, progress: as in :meth:`embed`.

        Raises:
            LightCurveError, UsageError: as in :meth:`embed`.
        """
        packed = as_light_curves(curves, zero_point=zero_point, id_column=id_column)
        self._refuse_too_long(packed)
        if not 0 <= probed <= 1:
            raise UsageError(f"probed must be in [0, 1]. Received: {probed}.")
        shown = None if visible is None else _visible(visible, packed.lengths)
        mag: list[np.ndarray] = []
        hidden: list[np.ndarray] = []
        sigma: list[np.ndarray] = []
        status = [np.empty(0, np.int32)]
        predict = self._signatures["reconstruct_drawn" if shown is None else "reconstruct"]
        with progress_bar(
            total=len(packed), desc="reconstruct", unit=" curves", disable=not progress
        ) as bar:
            for first, stop in self._calls(packed, batch_size, padded=True):
                arrays = padded_arguments(packed, first, stop, shown)
                if shown is None:
                    draw = {"seed": tf.constant(seed, tf.int64), "probed": tf.constant(probed)}
                    answer = predict(**arrays, **draw)
                else:
                    answer = predict(**arrays)
                lengths = packed.lengths[first:stop]
                for name, rows in (("mag", mag), ("hidden", hidden), ("sigma", sigma)):
                    if name in answer:
                        rows += [row[:n] for row, n in zip(answer[name].numpy(), lengths)]
                status.append(answer["status"].numpy())
                bar.update(stop - first)
        has_sigma = "sigma" in predict.structured_outputs
        return Reconstructions(
            packed.ids, mag, hidden, np.concatenate(status), sigma if has_sigma else None
        )

    def _known(self, periods: Any, count: int) -> np.ndarray:
        """float64 [count], 0 where nothing is known."""
        if periods is None:
            return np.zeros(count)
        if not self.folds:
            raise UsageError(
                "periods must be given to a model that folds (--model astromer_phase). Received: "
                f"periods for {self.path}. Leave them out."
            )
        known = np.asarray(periods, np.float64)
        if known.shape != (count,):
            raise UsageError(
                f"periods must have one value for each light curve ({count}). Received: shape "
                f"{list(known.shape)}."
            )
        return np.where(known > 0, known, 0.0)

    def _embed_some(
        self, packed: LightCurves, known: np.ndarray, first: int, stop: int
    ) -> dict[str, np.ndarray]:
        start, end = packed.offsets[first], packed.offsets[stop]
        folded = {"period": tf.constant(known[first:stop], tf.float64)} if self.folds else {}
        answer = self._embed(
            **folded,
            mjd=tf.constant(packed.mjd[start:end], tf.float64),
            mag=tf.constant(packed.mag[start:end], tf.float32),
            errmag=tf.constant(packed.errmag[start:end], tf.float32),
            length=tf.constant(packed.lengths[first:stop], tf.int64),
        )
        return {name: value.numpy() for name, value in answer.items()}

    def _calls(
        self, packed: LightCurves, batch_size: int, padded: bool = False
    ) -> Iterator[tuple[int, int]]:
        if batch_size < 1:
            raise UsageError(f"batch_size must be at least 1. Received: {batch_size}.")
        window = self.config["window_size"]
        most = min(batch_size, self.limits.serve_max_batch)
        return _calls(packed.offsets, window, most, self.limits.serve_max_steps, padded)

    def _refuse_too_long(self, curves: LightCurves) -> None:
        most = self.limits.serve_max_observations
        too_long = np.flatnonzero(curves.lengths > most)
        if len(too_long):
            first = int(too_long[0])
            name = f" ({shortened(str(curves.ids[first]))})" if curves.ids[first] else ""
            raise LightCurveError(
                f"This model takes at most {most:,} observations of a light curve "
                f"(--serve-max-observations when it was exported). Received: "
                f"{curves.lengths[first]:,} in light curve {first}{name}; {len(too_long):,} are "
                f"too long. Divide or thin them out; model servers give them status "
                f"{STATUS_TOO_LONG}."
            )

    def _no_answers(self) -> dict[str, np.ndarray]:
        """The answer for an empty set of light curves."""
        outputs = self._embed.structured_outputs
        return {
            name: np.empty((0, *spec.shape[1:]), spec.dtype.as_numpy_dtype)
            for name, spec in outputs.items()
        }


def _calls(
    offsets: np.ndarray, window_size: int, most: int, most_steps: int, padded: bool
) -> Iterator[tuple[int, int]]:
    """First light curve of each call, and one past the last.

    Args:
        offsets: int64 [num_curves + 1], of packed light curves.
        window_size: observations per window.
        most: light curves of a call.
        most_steps: steps of its windows, including unused ones.
        padded: the call also pads its light curves to the longest, with at most as many steps.
    """
    first, count = 0, len(offsets) - 1
    lengths = np.diff(offsets)
    in_windows = np.cumsum(-(-lengths // window_size) * window_size)
    steps = np.concatenate([[0], in_windows])
    while first < count:
        stop = min(
            _last_within(offsets, first, _OBSERVATIONS_PER_CALL),
            _last_within(steps, first, most_steps),
            first + most,
            count,
        )
        if padded:
            longest = np.maximum.accumulate(lengths[first:stop])
            area = longest * np.arange(1, len(longest) + 1)
            stop = min(stop, first + int(np.searchsorted(area, most_steps, side="right")))
        stop = max(stop, first + 1)
        yield first, stop
        first = stop


def _last_within(before: np.ndarray, first: int, most: int) -> int:
    """The last index whose cumulative sum is within ``most`` of that at ``first``."""
    return int(np.searchsorted(before, before[first] + most, side="right")) - 1


def _limits(config: dict[str, Any]) -> ServingConfig:
    """The limits of a model; those of an older one, which checks nothing, are out of reach."""
    known = config.get("serving", {})
    fields = dataclasses.fields(ServingConfig)
    return ServingConfig(**{field.name: int(known.get(field.name, 10**9)) for field in fields})


def _visible(visible: Sequence[np.ndarray] | np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """bool [num_observations], the rows one after the other."""
    single = len(lengths) == 1 and np.ndim(visible[0] if len(visible) else 0) == 0
    rows = [np.asarray(row) for row in ([visible] if single else visible)]
    if len(rows) != len(lengths):
        raise UsageError(
            f"visible must have a row for each light curve ({len(lengths)}). Received: {len(rows)}."
        )
    for index, (row, length) in enumerate(zip(rows, lengths)):
        if row.shape != (length,) or row.dtype != bool:
            raise UsageError(
                f"visible[{index}] must be bool and as long as the light curve ({length}). "
                f"Received: {row.dtype} of shape {list(row.shape)}."
            )
    return np.concatenate([np.empty(0, bool), *rows])


def padded_arguments(
    curves: LightCurves, first: int, stop: int, shown: np.ndarray | None
) -> dict[str, tf.Tensor]:
    """Arguments of the signatures on padded arrays, for the light curves of one call."""
    lengths = curves.lengths[first:stop]
    step = np.arange(int(lengths.max(initial=1)))
    inside = step[None, :] < lengths[:, None]
    index = np.where(inside, curves.offsets[first:stop][:, None] + step, 0)
    series = {"mjd": curves.mjd, "mag": curves.mag, "errmag": curves.errmag}
    if shown is not None:
        series["visible"] = shown
    arrays = {
        name: np.where(inside, values[index], values.dtype.type(0))
        if len(values)
        else np.zeros(inside.shape, values.dtype)
        for name, values in series.items()
    }
    return {
        **{name: tf.constant(values) for name, values in arrays.items()},
        "length": tf.constant(lengths, tf.int64),
    }
