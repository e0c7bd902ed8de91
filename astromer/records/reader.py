"""Reads record files into memory, and names the record that cannot be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.errors import RecordError
from astromer.light_curves import LightCurves
from astromer.progress import progress_bar
from astromer.records.codec import parse_light_curves
from astromer.records.context import Context, read_context
from astromer.records.culprit import explain_record, find_bad_record
from astromer.records.fold import check_framing, compression_of

_BATCH = 512
_THREADS = 2


@dataclass(frozen=True)
class RecordBatch:
    """Consecutive records of one file, checked: every curve has three equally long series.

    Attributes:
        file: where the records are.
        first_record: index of the first one in the file, counted from 0.
        serialized: bytes [B].
        mjd: float64 [num_observations], days, curve after curve.
        mag: float32 [num_observations].
        errmag: float32 [num_observations].
        lengths: int64 [B], observations per curve, at least 1.
    """

    file: Path
    first_record: int
    serialized: np.ndarray
    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def offsets(self) -> np.ndarray:
        """int64 [B + 1], where each curve starts in the flat arrays."""
        return np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)

    def contexts(self) -> list[Context]:
        """Id, label and class name of each curve."""
        return [read_context(record) for record in self.serialized]

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
        )


def read_light_curves(
    files: Sequence[str | Path], *, limit: int | None = None, progress: bool = False
) -> LightCurves:
    """Reads the light curves of record files, in their order, each sorted by time.

    Values are not judged here; see :func:`astromer.records.check.check_fold`.

    Args:
        files: TFRecord files, plain or gzip (told by their first bytes).
        limit: stop after so many light curves.
        progress: show a progress bar.

    Raises:
        RecordError: a file is corrupt or a record is no light curve.
        LightCurveError: a curve is empty or its series are not equally long.
    """
    parts = []
    left = float("inf") if limit is None else limit
    with progress_bar(desc="reading", unit=" curves", disable=not progress) as bar:
        for batch in iterate_batches(files) if left > 0 else ():
            if len(batch) > left:
                batch = batch.head(int(left))
            left -= len(batch)
            parts.append(_pack(batch))
            bar.update(len(batch))
            if left <= 0:
                break
    return LightCurves.concatenate(parts).sorted_by_time()


def iterate_batches(files: Iterable[str | Path]) -> Iterator[RecordBatch]:
    """Yields the records of each file in batches, in their order.

    Raises:
        RecordError, LightCurveError: as :func:`read_light_curves`.
    """
    for path in map(Path, files):
        check_framing(path)
        first = 0
        try:
            for serialized, (mjd, mag, errmag, lengths) in _parsed(path):
                _check_lengths(path, first, serialized, lengths)
                yield RecordBatch(path, first, serialized, mjd, mag, errmag, lengths[0])
                first += len(serialized)
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
            # TensorFlow refuses a batch as a whole; a second, slower pass names the record.
            find_bad_record(path)
            raise RecordError(f"{path} cannot be read as light-curve records.") from None


def _parsed(path: Path) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
    """Serialized records and what :func:`_parse_flat` makes of them, by batch.

    Threads parse ahead. A tf.data pipeline could do that too, but it would be traced anew
    for every file, which takes longer than reading a small one.
    """
    batches = tf.data.TFRecordDataset(str(path), compression_of(path)).batch(_BATCH).prefetch(1)
    waiting: deque[tuple[np.ndarray, Future[list[np.ndarray]]]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for serialized in batches:
            waiting.append((serialized.numpy(), pool.submit(_to_numpy, serialized)))
            if len(waiting) > _THREADS:
                records, parsed = waiting.popleft()
                yield records, parsed.result()
        for records, parsed in waiting:
            yield records, parsed.result()


def _to_numpy(serialized: tf.Tensor) -> list[np.ndarray]:
    return [tensor.numpy() for tensor in _parse_flat(serialized)]


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def _parse_flat(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """mjd, mag and errmag curve after curve, and their lengths, int64 [3, B]."""
    series = parse_light_curves(serialized)
    lengths = tf.stack([tf.cast(rows.row_lengths(), tf.int64) for rows in series])
    return (*(rows.values for rows in series), lengths)


def _check_lengths(file: Path, first: int, serialized: np.ndarray, lengths: np.ndarray) -> None:
    """Raises for the first curve whose three lengths [3, B] are unequal or zero."""
    bad = (lengths == 0).any(axis=0) | (lengths != lengths[0]).any(axis=0)
    if bad.any():
        position = int(np.flatnonzero(bad)[0])
        explain_record(serialized[position], file, first + position)


def _pack(batch: RecordBatch) -> LightCurves:
    contexts = batch.contexts()
    return LightCurves(
        mjd=batch.mjd,
        mag=batch.mag,
        errmag=batch.errmag,
        offsets=batch.offsets,
        ids=np.array([context.id for context in contexts], dtype=np.str_),
        labels=np.array([context.label for context in contexts], dtype=np.int64),
        class_names=np.array([context.class_name for context in contexts], dtype=np.str_),
    )
