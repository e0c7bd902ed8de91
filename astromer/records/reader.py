"""Reads record files into memory, and names the record that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurves
from astromer.records.bad_records import explain_record, find_bad_record
from astromer.records.codec import parse_records
from astromer.records.config import MissingErrorsConfig
from astromer.records.context import Context, read_context
from astromer.records.framing import (
    MAKE_AGAIN,
    compression_of,
    estimate_records,
    record_sizes,
    where,
)
from astromer.records.missing_errors import fill
from astromer.records.wire import LARGE, is_mostly_series
from astromer.system.errors import RecordError
from astromer.system.parallel import map_ahead
from astromer.system.storage import as_path
from astromer.system.terminal import progress_bar

_BATCH = 512
_BATCH_BYTES = 1 << 26  # half a dozen batches are in memory at a time, as bytes and as values
_THREADS = 2


@dataclass(frozen=True)
class RecordBatch:
    """Consecutive records of one file.

    Every curve has three equally long series, unless it was read leniently: then a curve
    without errors has NaN for them, and one whose series do not fit each other is there
    with length 0.

    Attributes:
        file: where the records are.
        first_record: index of the first one in the file, counted from 0.
        serialized: bytes [B].
        mjd: float64 [num_observations], days, curve after curve.
        mag: float32 [num_observations].
        errmag: float32 [num_observations].
        lengths: int64 [B], observations per curve, at least 1 unless read leniently.
        series_lengths: int64 [3, B], values of mjd, mag and errmag in the record.
        residual_lengths: int64 [B], values of mjd_residual; residuals that are not as many as
            the times are not added to them.
        largest_residuals: float32 [B], the largest magnitude of mjd_residual, in days; 0 for none.
    """

    file: Path
    first_record: int
    serialized: np.ndarray
    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    lengths: np.ndarray
    series_lengths: np.ndarray
    residual_lengths: np.ndarray
    largest_residuals: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def offsets(self) -> np.ndarray:
        """int64 [B + 1], where each curve starts in the flat arrays."""
        return np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)

    def place(self, row: int) -> str:
        """Names a record in errors; of consecutive records only."""
        return where(self.file, self.first_record + row)

    def contexts(self) -> list[Context]:
        """Id, label, class name and band of each curve."""
        return self._contexts

    @cached_property
    def _contexts(self) -> list[Context]:
        return [read_context(record) for record in self.serialized]

    def light_curves(self) -> LightCurves:
        """The light curves, as they lie in the records."""
        contexts = self.contexts()
        return LightCurves(
            mjd=self.mjd,
            mag=self.mag,
            errmag=self.errmag,
            offsets=self.offsets,
            ids=np.array([context.id for context in contexts], dtype=np.str_),
            labels=np.array([context.label for context in contexts], dtype=np.int64),
            class_names=np.array([context.class_name for context in contexts], dtype=np.str_),
        )

    def only(self, kept: np.ndarray) -> RecordBatch:
        """The records that are True in ``kept``, bool [B]; no longer consecutive ones."""
        if kept.all():
            return self
        observations = np.repeat(kept, self.lengths)
        return RecordBatch(
            self.file,
            self.first_record,
            self.serialized[kept],
            self.mjd[observations],
            self.mag[observations],
            self.errmag[observations],
            self.lengths[kept],
            self.series_lengths[:, kept],
            self.residual_lengths[kept],
            self.largest_residuals[kept],
        )

    def head(self, count: int) -> RecordBatch:
        """The first ``count`` records."""
        stop = int(self.lengths[:count].sum())
        return RecordBatch(
            self.file,
            self.first_record,
            self.serialized[:count],
            self.mjd[:stop],
            self.mag[:stop],
            self.errmag[:stop],
            self.lengths[:count],
            self.series_lengths[:, :count],
            self.residual_lengths[:count],
            self.largest_residuals[:count],
        )


def read_light_curves(
    files: Sequence[str | Path],
    *,
    limit: int | None = None,
    leave_out: np.ndarray | None = None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
    progress: bool = False,
) -> LightCurves:
    """Reads the light curves of record files, in their order, each sorted by time.

    Values are not judged here; see :mod:`astromer.validation`.

    Args:
        files: TFRecord files, plain or gzip (told by their first bytes).
        limit: stop after so many light curves.
        leave_out: positions of light curves that are not wanted, int64; these may be empty
            or have series of unequal length.
        errors: how missing errors are filled in.
        progress: show a progress bar.

    Raises:
        RecordError: a file is corrupt or a record is no light curve.
        LightCurveError: a curve is empty or its series are not equally long.
    """
    parts = []
    left = float("inf") if limit is None else limit
    position = 0
    batches = iterate_batches(files, strict=leave_out is None, errors=errors)
    total = limit or (estimate_records(map(as_path, files)) if progress else None)
    with progress_bar(total=total, desc="reading", unit="curves", disable=not progress) as bar:
        for batch in batches if left > 0 else ():
            if leave_out is not None:
                positions = position + np.arange(len(batch))
                position += len(batch)
                batch = batch.only(~np.isin(positions, leave_out))
            if len(batch) > left:
                batch = batch.head(int(left))
            left -= len(batch)
            parts.append(batch.light_curves())
            bar.update(len(batch))
            if left <= 0:
                break
    return LightCurves.concatenate(parts).sorted_by_time()


def iterate_batches(
    files: Iterable[str | Path],
    *,
    strict: bool = True,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> Iterator[RecordBatch]:
    """Yields the records of each file in batches, in their order.

    Args:
        files: TFRecord files, plain or gzip.
        strict: refuse light curves whose series are missing, empty or not equally long;
            otherwise they come as :class:`RecordBatch` says.
        errors: how missing errors are filled in; a light curve without any has no list of
            errors, which needs ``strict=False``.

    Raises:
        RecordError: a file is corrupt or a record is no light curve.
        LightCurveError: with ``strict``, a curve is empty or its series are not equally long.
    """
    for path in map(as_path, files):
        sizes = np.asarray(record_sizes(path), np.int64)
        count, together = len(sizes), records_at_once(sizes)
        first = 0
        try:
            for serialized, (mjd, mag, errmag, lengths, *residuals) in _parsed(path, together):
                if not _fit(lengths).all():
                    _explain(path, first, serialized, lengths, strict)
                    mjd, mag, errmag = _fitting((mjd, mag, errmag), lengths)
                usable = np.where(_fit(lengths) | _only_errors_missing(lengths), lengths[0], 0)
                offsets = np.concatenate([[0], np.cumsum(usable)])
                errmag = fill(mjd, mag, errmag, offsets, errors)
                series = (mjd, mag, errmag, usable, lengths)
                yield RecordBatch(path, first, serialized, *series, *residuals)
                first += len(serialized)
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
            # TensorFlow refuses a batch as a whole; a second, slower pass names the record.
            find_bad_record(path, strict=strict)
            raise RecordError(f"{path} cannot be read as light-curve records.") from None
        except tf.errors.OpError as error:
            raise RecordError(f"{path} cannot be read: {type(error).__name__}.") from None
        if first != count:
            raise RecordError(
                f"{path} holds {count} records, of which TensorFlow reads {first}. {MAKE_AGAIN}"
            )


def records_at_once(sizes: np.ndarray) -> int:
    """How many consecutive records make a batch, so that none has more than 64 MiB.

    Args:
        sizes: int64 [num_records], bytes of each.
    """
    together = _BATCH
    while together > 1:
        starts = np.arange(0, len(sizes), together)
        if not len(sizes) or np.add.reduceat(sizes, starts).max() <= _BATCH_BYTES:
            break
        together //= 2
    return together


def _parsed(path: Path, together: int) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
    """Serialized records and what :func:`_parse_flat` makes of them, by batch.

    Threads parse ahead. A tf.data pipeline could do that too, but it would be traced anew
    for every file, which takes longer than reading a small one.
    """
    batches = tf.data.TFRecordDataset(str(path), compression_of(path)).batch(together).prefetch(1)

    def checked() -> Iterator[tuple[np.ndarray, tf.Tensor]]:
        for number, serialized in enumerate(batches):
            records = serialized.numpy()
            _refuse_bloated(records, path, number * together)
            yield records, serialized

    def parse(batch: tuple[np.ndarray, tf.Tensor]) -> tuple[np.ndarray, list[np.ndarray]]:
        return batch[0], [tensor.numpy() for tensor in _parse_flat(batch[1])]

    return map_ahead(parse, checked(), _THREADS)


def _refuse_bloated(serialized: np.ndarray, path: Path, first: int) -> None:
    for row, record in enumerate(serialized):
        if len(record) > LARGE and not is_mostly_series(record):
            raise RecordError(
                f"{where(path, first + row)} must hold each series in one list, as records of more "
                f"than {LARGE:,} bytes do. Received: {len(record):,} bytes, most of them no "
                f"observations. {MAKE_AGAIN}"
            )


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def _parse_flat(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """mjd, mag and errmag curve after curve, their lengths, int64 [3, B], and the residuals'."""
    series, residual, _ = parse_records(serialized)
    lengths = tf.stack([tf.cast(rows.row_lengths(), tf.int64) for rows in series])
    largest = tf.maximum(tf.reduce_max(tf.abs(residual), axis=1), 0)
    return (*(rows.values for rows in series), lengths, residual.row_lengths(), largest)


def _fit(lengths: np.ndarray) -> np.ndarray:
    """bool [B], True where the three lengths [3, B] are equal and not zero."""
    fit: np.ndarray = (lengths[0] > 0) & (lengths == lengths[0]).all(axis=0)
    return fit


def _only_errors_missing(lengths: np.ndarray) -> np.ndarray:
    missing: np.ndarray = (lengths[0] > 0) & (lengths[1] == lengths[0]) & (lengths[2] == 0)
    return missing


def _explain(
    file: Path, first: int, serialized: np.ndarray, lengths: np.ndarray, strict: bool
) -> None:
    """Raises for the first curve whose lengths [3, B] do not fit, if that is not allowed."""
    for position in np.flatnonzero(~_fit(lengths)):
        explain_record(serialized[position], file, first + int(position), strict=strict)


def _fitting(series: tuple[np.ndarray, ...], lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    """The values of curves that fit, and NaN for errors where there are none at all."""
    fit, no_errors = _fit(lengths), _only_errors_missing(lengths)
    mjd, mag, errmag = (
        values[np.repeat(fit | no_errors, counts)]
        for values, counts in zip(series, lengths, strict=True)
    )
    filled = np.full(len(mjd), np.nan, errmag.dtype)
    kept = fit | no_errors
    filled[np.repeat(fit[kept], lengths[0][kept])] = errmag
    return mjd, mag, filled
