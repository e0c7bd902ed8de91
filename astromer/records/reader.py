"""Reads record files into memory, and names the record that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator, Sequence

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
    """Reads the light curves of record files, in their order.

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
    return LightCurves.concatenate(parts)


def iterate_batches(files: Iterable[str | Path]) -> Iterator[RecordBatch]:
    """Yields the records of each file in batches, in their order.

    Raises:
        RecordError, LightCurveError: as :func:`read_light_curves`.
    """
    for file in map(Path, files):
        check_framing(file)
        yield from _iterate_file(file)


def _iterate_file(file: Path) -> Iterator[RecordBatch]:
    dataset = (
        tf.data.TFRecordDataset(str(file), compression_type=compression_of(file))
        .batch(_BATCH)
        .map(lambda records: (records, *parse_light_curves(records)), num_parallel_calls=2)
        .prefetch(2)
    )
    first = 0
    try:
        for records, mjd, mag, errmag in dataset:
            serialized = records.numpy()
            _check_lengths(file, first, serialized, mjd, mag, errmag)
            yield RecordBatch(
                file=file,
                first_record=first,
                serialized=serialized,
                mjd=mjd.values.numpy(),
                mag=mag.values.numpy(),
                errmag=errmag.values.numpy(),
                lengths=mag.row_lengths().numpy().astype(np.int64),
            )
            first += len(serialized)
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
        # TensorFlow refuses a batch as a whole; a second, slower pass names the record.
        find_bad_record(file)
        raise RecordError(f"{file} cannot be read as light-curve records.") from None


def _check_lengths(
    file: Path,
    first: int,
    serialized: np.ndarray,
    mjd: tf.RaggedTensor,
    mag: tf.RaggedTensor,
    errmag: tf.RaggedTensor,
) -> None:
    lengths = mag.row_lengths().numpy()
    bad = (
        (lengths == 0)
        | (mjd.row_lengths().numpy() != lengths)
        | (errmag.row_lengths().numpy() != lengths)
    )
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
