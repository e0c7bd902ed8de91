"""Streams the light curves of Parquet files, each row of which is an observation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from astromer.light_curves import LightCurves
from astromer.records.fold import natural_key
from astromer.records.sources.metadata import Metadata, as_keys
from astromer.records.sources.tables import check_values, open_parquet, require_columns
from astromer.records.survey_config import SurveyConfig
from astromer.system.errors import DataAnomalyError, DataNotFoundError, RecordError
from astromer.system.text import brief

_BATCH_ROWS = 1 << 17
_CHUNK_ROWS = 1 << 18
_BUCKET_ROWS = 1 << 22


@dataclass(frozen=True)
class Shard:
    """One Parquet file of observations, and the curves that its ids name.

    Attributes:
        path: the file.
        rows: int64 [C], metadata rows of its curves in the order of their first observation.
        lengths: int64 [C], observations of each.
        contiguous: no curve is interrupted by another.
    """

    path: Path
    rows: np.ndarray
    lengths: np.ndarray
    contiguous: bool


@dataclass(frozen=True)
class Inventory:
    """All shards of a survey.

    Attributes:
        shards: in natural order of their names.
        observations: int64 [metadata rows], observations of each light curve.
        unknown_observations: observations whose id no metadata row has.
    """

    shards: tuple[Shard, ...]
    observations: np.ndarray
    unknown_observations: int


class CurveIndex:
    """Finds metadata rows by id."""

    def __init__(self, metadata: Metadata) -> None:
        self._order = np.argsort(metadata.keys, kind="stable")
        self._sorted = metadata.keys[self._order]

    def __len__(self) -> int:
        return len(self._order)

    def rows_of(self, keys: np.ndarray) -> np.ndarray:
        """int64, metadata row of each key, -1 where there is none."""
        if (keys.dtype.kind == "S") != (self._sorted.dtype.kind == "S"):
            raise TypeError("ids of another kind")
        found = np.searchsorted(self._sorted, keys).clip(max=len(self._sorted) - 1)
        return np.where(self._sorted[found] == keys, self._order[found], -1)


def shard_files(config: SurveyConfig, metadata: Metadata) -> list[Path]:
    """The survey's Parquet shards in natural order.

    Raises:
        DataNotFoundError: there are none, or one that the metadata names is missing.
    """
    folder = config.light_curves
    files = [folder] if folder.is_file() else sorted(folder.glob("*.parquet"), key=natural_key)
    if not files:
        raise DataNotFoundError(f"{folder} holds no *.parquet shards.")
    numbers = {int(n[-1]) for n in (re.findall(r"\d+", file.stem) for file in files) if n}
    if metadata.shards is not None and numbers and not folder.is_file():
        missing = sorted(set(np.unique(metadata.shards).tolist()) - numbers)
        if missing:
            curves = int(np.isin(metadata.shards, missing).sum())
            raise DataNotFoundError(
                f"{folder} lacks shard(s) {', '.join(map(str, missing[:10]))}, which "
                f"{config.metadata} names for {curves} light curve(s); it has {files[0].name} to "
                f"{files[-1].name}. Copy the missing files."
            )
    return files


def take_inventory(
    files: list[Path], config: SurveyConfig, metadata: Metadata, index: CurveIndex
) -> Inventory:
    """Reads the id column of every shard.

    Raises:
        RecordError: a shard is damaged or no Parquet table.
        DataAnomalyError: a column is missing or of a wrong type, or a curve lies in two shards.
    """
    observations = np.zeros(len(metadata), np.int64)
    owner = np.full(len(metadata), -1)
    shards = []
    unknown = 0
    for number, path in enumerate(files):
        shard, unknown_here = _read_ids(path, config, index)
        twice = shard.rows[owner[shard.rows] >= 0]
        if len(twice):
            key = metadata.table.column(config.id_column)[int(twice[0])].as_py()
            raise DataAnomalyError(
                f"{config.id_column} {key} has observations in {files[owner[twice[0]]]} and in "
                f"{path}: each light curve must lie in one shard."
            )
        owner[shard.rows] = number
        observations[shard.rows] = shard.lengths
        shards.append(shard)
        unknown += unknown_here
    return Inventory(tuple(shards), observations, unknown)


def iterate_shard(
    shard: Shard, config: SurveyConfig, index: CurveIndex, wanted: np.ndarray
) -> Iterator[tuple[np.ndarray, LightCurves]]:
    """Yields the curves of a shard, a bounded number of observations at a time.

    Where the rows of different curves are mixed, the shard is read several times, for as
    many curves each time as fit into memory.

    Args:
        shard: the file.
        config: names of its columns.
        index: of the metadata.
        wanted: bool [metadata rows], light curves to be read.

    Yields:
        int64 [C], metadata rows, and their C light curves: times and values as in the survey.
    """
    rows = shard.rows[wanted[shard.rows]]
    if not len(rows):
        return
    if shard.contiguous:
        yield from whole_curves(_pieces(shard.path, config, index, wanted))
        return
    lengths = shard.lengths[wanted[shard.rows]]
    buckets = (np.cumsum(lengths) - 1) // _BUCKET_ROWS
    for bucket in np.unique(buckets):
        of_bucket = rows[buckets == bucket]
        rank = np.full(len(wanted), -1)
        rank[of_bucket] = np.arange(len(of_bucket))
        piece = _join(list(_pieces(shard.path, config, index, rank >= 0)))
        order = np.argsort(rank[piece[0]], kind="stable")
        yield from whole_curves(iter([_slice(piece, order)]))


Piece = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Number of the light curve, time, magnitude or flux, and error of consecutive observations."""


def whole_curves(pieces: Iterator[Piece]) -> Iterator[tuple[np.ndarray, LightCurves]]:
    """Packs observations that lie together: numbers and their light curves, a chunk at a time."""
    held: list[Piece] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece[0])
        if size < _CHUNK_ROWS:
            continue
        piece = _join(held)
        # The last curve may go on in the next piece.
        changes = np.flatnonzero(np.diff(piece[0]))
        end = int(changes[-1]) + 1 if len(changes) else 0
        if end:
            yield _pack(_slice(piece, slice(0, end)))
        held, size = [_slice(piece, slice(end, None))], len(piece[0]) - end
    if size:
        yield _pack(_join(held))


def _join(pieces: list[Piece]) -> Piece:
    rows, mjd, mag, errmag = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    return rows, mjd, mag, errmag


def _slice(piece: Piece, part: slice | np.ndarray) -> Piece:
    return piece[0][part], piece[1][part], piece[2][part], piece[3][part]


def _pack(piece: Piece) -> tuple[np.ndarray, LightCurves]:
    starts = np.concatenate([[0], np.flatnonzero(np.diff(piece[0])) + 1])
    offsets = np.append(starts, len(piece[0]))
    return piece[0][starts], LightCurves.unlabelled(*piece[1:], offsets)


def _pieces(
    path: Path, config: SurveyConfig, index: CurveIndex, wanted: np.ndarray
) -> Iterator[Piece]:
    """The observations of the wanted curves, in the order of the file."""
    for batch in _batches(path, [config.id_column, *config.series]):
        run_rows, run_lengths = _runs(batch.column(0), index)
        rows = np.repeat(run_rows, run_lengths)
        mjd, mag, errmag = (_to_float64(batch.column(i)) for i in (1, 2, 3))
        if config.calibration.zero_point is None:
            with np.errstate(over="ignore"):
                mag, errmag = mag.astype(np.float32), errmag.astype(np.float32)
        kept = (rows >= 0) & wanted[rows]
        piece = (rows, mjd, mag, errmag)
        yield piece if kept.all() else _slice(piece, kept)


def _read_ids(path: Path, config: SurveyConfig, index: CurveIndex) -> tuple[Shard, int]:
    """The curves of a shard, and how many of its observations belong to unknown ones.

    Memory goes with the number of curves, however their observations are mixed.
    """
    _check_columns(path, config)
    counts = np.zeros(len(index), np.int64)
    order: list[np.ndarray] = [np.empty(0, np.int64)]
    contiguous, unknown, last = True, 0, -1
    try:
        for batch in _batches(path, [config.id_column]):
            rows, lengths = _runs(batch.column(0), index)
            known = rows >= 0
            unknown += int(lengths[~known].sum())
            rows, lengths = rows[known], lengths[known]
            # Unknown curves are left out, so what they interrupt is not interrupted.
            starts = rows[np.diff(rows, prepend=last) != 0]
            unique, first = np.unique(starts, return_index=True)
            new = counts[unique] == 0
            contiguous &= len(unique) == len(starts) and bool(new.all())
            order.append(unique[new][np.argsort(first[new])])
            np.add.at(counts, rows, lengths)
            last = rows[-1] if len(rows) else last
    except TypeError:
        raise DataAnomalyError(
            f"{path}: the column {config.id_column} is of another type than in {config.metadata}."
        ) from None
    found = np.concatenate(order)
    return Shard(path, found, counts[found], contiguous), unknown


def _runs(ids: pa.Array, index: CurveIndex) -> tuple[np.ndarray, np.ndarray]:
    """Metadata row and length of each run of equal ids in a batch."""
    if not len(ids):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    changed = pc.fill_null(pc.not_equal(ids[1:], ids[:-1]), True).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    lengths = np.diff(np.append(starts, len(ids)))
    firsts = ids.take(pa.array(starts))
    rows = np.full(len(starts), -1)
    valid = pc.is_valid(firsts).to_numpy(zero_copy_only=False)
    rows[valid] = index.rows_of(as_keys(firsts.drop_null()))
    return rows, lengths


def _batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        for batch in open_parquet(path).iter_batches(batch_size=_BATCH_ROWS, columns=columns):
            check_values(batch)
            yield batch.select(columns) if batch.schema.names != columns else batch
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{path} is damaged: {brief(error)}. Copy it again.") from None


def _check_columns(path: Path, config: SurveyConfig) -> None:
    schema = open_parquet(path).schema_arrow
    require_columns(path, schema.names, [config.id_column, *config.series])
    for name in config.series:
        kind = schema.field(name).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise DataAnomalyError(
                f"{path}: the column {name} must hold numbers, it is {kind}. Convert it to float."
            )


def _to_float64(column: pa.Array) -> np.ndarray:
    """Nulls become NaN."""
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
