"""Reads record files into memory, and names the record that cannot be read."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurves, offsets_of
from astromer.records.cleaning import fill_missing_errors
from astromer.records.codec import (
    OLDER_SERIES,
    Context,
    not_a_light_curve,
    parse_record,
    parse_records,
    read_context,
)
from astromer.records.config import MissingErrorsConfig
from astromer.records.encoding import LARGE, RESIDUAL, SERIES, is_mostly_series
from astromer.records.framing import (
    MAKE_AGAIN,
    compression_of,
    estimate_records,
    locate,
    record_sizes,
)
from astromer.system.errors import LightCurveError, RecordError
from astromer.system.parallel import map_ahead
from astromer.system.storage import as_path
from astromer.system.terminal import progress_bar
from astromer.system.text import shortened

_BATCH = 512
_BATCH_BYTES = 1 << 26  # half a dozen batches are in memory at a time, as bytes and as values
_THREADS = 2


@dataclass(frozen=True)
class RecordBatch(LightCurves):
    """The light curves of consecutive records of one file.

    Every curve has three equally long series, unless it was read leniently: then a curve
    without errors has NaN for them, and one whose series do not fit each other has length 0.

    Attributes:
        file: where the records are.
        first_record: index of the first one in the file, counted from 0.
        serialized: bytes [B].
        series_lengths: int64 [3, B], values of mjd, mag and errmag in the record.
        residual_lengths: int64 [B], values of mjd_residual; residuals that are not as many as
            the times are not added to them.
        largest_residuals: float32 [B], the largest magnitude of mjd_residual, in days; 0 for none.
    """

    file: Path
    first_record: int
    serialized: np.ndarray
    series_lengths: np.ndarray
    residual_lengths: np.ndarray
    largest_residuals: np.ndarray

    def location(self, row: int) -> str:
        """Names a record in errors."""
        return locate(self.file, self.first_record + row)

    def contexts(self) -> list[Context]:
        """Id, label, class name, band and period of each curve."""
        columns = (self.ids, self.labels, self.class_names, self.bands, self.periods)
        return list(map(Context, *(column.tolist() for column in columns)))


def read_light_curves(
    files: Sequence[str | Path],
    *,
    limit: int | None = None,
    leave_out: np.ndarray | None = None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
    progress: bool = False,
) -> LightCurves:
    """Reads the light curves of record files, in their order, each sorted by time.

    Values are not checked here; see :mod:`astromer.validation`.

    Args:
        files: TFRecord files, plain or gzip (recognised by their first bytes).
        limit: stop after so many light curves.
        leave_out: positions of light curves that are not wanted, int64; these may be empty
            or have series of unequal length.
        errors: how missing errors are filled in.
        progress: show a progress bar.

    Raises:
        RecordError: a file is corrupt or a record is no light curve.
        LightCurveError: a curve is empty or its series are not equally long.
    """
    parts: list[LightCurves] = []
    left = limit
    position = 0
    batches = iterate_batches(files, strict=leave_out is None, errors=errors)
    total = limit or (estimate_records(map(as_path, files)) if progress else None)
    with progress_bar(total=total, desc="reading", unit="curves", disable=not progress) as bar:
        for batch in batches if left != 0 else ():
            rows = np.arange(len(batch))
            if leave_out is not None:
                rows = rows[~np.isin(position + rows, leave_out)]
                position += len(batch)
            rows = rows[:left]
            # Both ways give a copy that does not hold the records' bytes.
            whole = len(rows) == len(batch)
            parts.append(LightCurves.concatenate([batch]) if whole else batch.take(rows))
            bar.update(len(rows))
            if left is not None and not (left := left - len(rows)):
                break
    return LightCurves.concatenate(parts).sorted_by_time()


def iterate_batches(
    files: Iterable[str | Path],
    *,
    strict: bool = True,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
    start: int = 0,
    stop: int | None = None,
) -> Iterator[RecordBatch]:
    """Yields the records of each file in batches, in their order.

    Args:
        files: TFRecord files, plain or gzip.
        start, stop: the first record of each file to read, and one past the last.
        strict: refuse light curves whose series are missing, empty or not equally long;
            otherwise they come as :class:`RecordBatch` says.
        errors: how missing errors are filled in; a light curve without any has no list of
            errors, which needs ``strict=False``.

    Raises:
        RecordError: a file is corrupt or a record is no light curve.
        LightCurveError: with ``strict``, a curve is empty or its series are not equally long.
    """
    for path in map(as_path, files):
        sizes = np.asarray(record_sizes(path), np.int64)[:stop]
        first = start
        try:
            for serialized, parsed in _parsed(path, records_at_once(sizes[start:]), start, stop):
                yield _to_batch(path, first, serialized, parsed, strict, errors)
                first += len(serialized)
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
            # TensorFlow refuses a batch as a whole; reading again, slowly, names the record.
            find_bad_record(path, strict=strict)
            raise RecordError(f"{path} cannot be read as light-curve records.") from None
        except tf.errors.OpError as error:
            raise RecordError(f"{path} cannot be read: {type(error).__name__}.") from None
        if first != len(sizes):
            raise RecordError(
                f"{path} holds {len(sizes)} records, of which TensorFlow reads {first}. "
                f"{MAKE_AGAIN}"
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


def _parsed(
    path: Path, together: int, start: int, stop: int | None
) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
    """Serialized records and what :func:`_parse_flat` makes of them, by batch.

    Threads parse ahead. A tf.data pipeline could do that too, but it would be traced anew
    for every file, which takes longer than reading a small one.
    """

    records = tf.data.TFRecordDataset(str(path), compression_of(path))
    if start or stop is not None:
        records = records.skip(start).take(-1 if stop is None else stop - start)
    batches = records.batch(together).prefetch(1)

    def checked() -> Iterator[tuple[np.ndarray, tf.Tensor]]:
        for number, serialized in enumerate(batches):
            values = serialized.numpy()
            _refuse_bloated(values, path, start + number * together)
            yield values, serialized

    def parse(batch: tuple[np.ndarray, tf.Tensor]) -> tuple[np.ndarray, list[np.ndarray]]:
        return batch[0], [tensor.numpy() for tensor in _parse_flat(batch[1])]

    return map_ahead(parse, checked(), _THREADS)


def _refuse_bloated(serialized: np.ndarray, path: Path, first: int) -> None:
    for row, record in enumerate(serialized):
        if len(record) > LARGE and not is_mostly_series(record):
            raise RecordError(
                f"{locate(path, first + row)} must hold each series in one list, as records of "
                f"more than {LARGE:,} bytes do. Received: {len(record):,} bytes, most of them no "
                f"observations. {MAKE_AGAIN}"
            )


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def _parse_flat(serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """mjd, mag and errmag curve after curve, their lengths, int64 [3, B], and the residuals'."""
    series, residual, _ = parse_records(serialized)
    lengths = tf.stack([tf.cast(rows.row_lengths(), tf.int64) for rows in series])
    largest = tf.maximum(tf.reduce_max(tf.abs(residual), axis=1), 0)
    return (*(rows.values for rows in series), lengths, residual.row_lengths(), largest)


def _to_batch(
    file: Path,
    first: int,
    serialized: np.ndarray,
    parsed: list[np.ndarray],
    strict: bool,
    errors: MissingErrorsConfig,
) -> RecordBatch:
    mjd, mag, errmag, lengths, residual_lengths, largest = parsed
    equal = (lengths[0] > 0) & (lengths[1] == lengths[0])
    complete = equal & (lengths[2] == lengths[0])
    usable = complete | (equal & (lengths[2] == 0))
    if not complete.all():
        for row in np.flatnonzero(~complete):
            explain_record(serialized[row], file, first + int(row), strict=strict)
        mjd, mag, known = (
            values[np.repeat(usable, counts)]
            for values, counts in zip((mjd, mag, errmag), lengths, strict=True)
        )
        errmag = np.full(len(mjd), np.nan, errmag.dtype)
        errmag[np.repeat(complete[usable], lengths[0][usable])] = known
    offsets = offsets_of(np.where(usable, lengths[0], 0))
    contexts = [read_context(record) for record in serialized]
    return RecordBatch(
        mjd=mjd,
        mag=mag,
        errmag=fill_missing_errors(mjd, mag, errmag, offsets, errors),
        offsets=offsets,
        ids=np.array([context.id for context in contexts], dtype=np.str_),
        labels=np.array([context.label for context in contexts], dtype=np.int64),
        class_names=np.array([context.class_name for context in contexts], dtype=np.str_),
        bands=np.array([context.band for context in contexts], dtype=np.str_),
        periods=np.array([context.period for context in contexts], dtype=np.float64),
        file=file,
        first_record=first,
        serialized=serialized,
        series_lengths=lengths,
        residual_lengths=residual_lengths,
        largest_residuals=largest,
    )


def find_bad_record(file: Path, *, strict: bool = True) -> None:
    """Reads a file record by record and raises for the first bad one.

    Raises:
        RecordError: a record is corrupt, cut off, or no light curve.
        LightCurveError: with ``strict``, a curve is empty or its series are not equally long.
    """
    index = 0
    try:
        dataset = tf.data.TFRecordDataset(str(file), compression_type=compression_of(file))
        for record in dataset:
            explain_record(record.numpy(), file, index, strict=strict)
            index += 1
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
        raise RecordError(
            f"{locate(file, index)} is corrupt (wrong checksum). {MAKE_AGAIN}"
        ) from None


def explain_record(serialized: bytes, file: Path, index: int, *, strict: bool = True) -> None:
    """Raises what is wrong with one record; returns where nothing is.

    Raises:
        RecordError: it is no SequenceExample, or a list has a wrong type; with ``strict``,
            it lacks a list.
        LightCurveError: with ``strict``, the curve is empty or its series are not equally long.
    """
    location = locate(file, index)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        record = parse_record(serialized, location)
    if warned:  # of some damage, protobuf only warns
        raise not_a_light_curve(location)
    lists = record.feature_lists.feature_list
    if not lists and not _is_object(serialized):
        inside = ", ".join(sorted(record.context.feature)) or "nothing"
        raise RecordError(
            f"{location} has no series (feature lists {', '.join(SERIES)}); it holds {inside}. Is "
            "it a tf.train.Example? Light curves are tf.train.SequenceExample records."
        )
    if name := read_context(serialized).id:
        location += f" (object {shortened(name)})"
    if strict and not lists:
        raise LightCurveError(f"{location} is an empty light curve. Leave such objects out.")
    older = any(name in lists for name in OLDER_SERIES) and "mag" not in lists
    names = OLDER_SERIES if older else SERIES
    lengths = {name: _length(lists, name, location) for name in names if strict or name in lists}
    if RESIDUAL in lists:
        _length(lists, RESIDUAL, location)
    if not strict:
        return
    if not any(lengths.values()):
        raise LightCurveError(f"{location} is an empty light curve. Leave such objects out.")
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise LightCurveError(
            f"{location} has series of unequal length: {counts}. Each observation needs all three."
        )


def _is_object(serialized: bytes) -> bool:
    """Whether a record without any feature list is a light curve that lost them.

    It has a name, and one value of each context feature; the features of a tf.train.Example
    lie in the same field, but hold the series.
    """
    features = tf.train.Example.FromString(serialized).features.feature
    kinds = {name: feature.WhichOneof("kind") for name, feature in features.items()}
    single = all(len(getattr(features[n], kind).value) <= 1 for n, kind in kinds.items() if kind)
    series = {*SERIES, *OLDER_SERIES, RESIDUAL}.intersection(features)
    return single and not series and bool(read_context(serialized).id)


def _length(lists: tf.train.FeatureLists, name: str, location: str) -> int:
    if name not in lists:
        raise RecordError(
            f"{location} lacks the feature list {name!r}; it has {', '.join(sorted(lists))}."
        )
    total = 0
    for feature in lists[name].feature:
        kind = feature.WhichOneof("kind")
        if kind not in (None, "float_list"):
            raise RecordError(f"{location}: {name!r} must be a float_list, it is a {kind}.")
        total += len(feature.float_list.value)
    return total
