"""Observations of light curves in tables: one long table, or a file for each light curve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from astromer.light_curves import ID_COLUMNS, LightCurves
from astromer.records.sources.catalogue import Catalogue
from astromer.records.sources.names import FITS, Columns, find_columns, kind_of, stem_of
from astromer.records.sources.shards import Piece, whole_curves
from astromer.records.sources.tables import Table, open_table
from astromer.records.survey_config import SurveyConfig, default_config
from astromer.system.errors import (
    DataAnomalyError,
    DataNotFoundError,
    LightCurveError,
    RecordError,
    UsageError,
)
from astromer.system.parallel import map_ahead

_SEPARATOR = "\0"


def read_long_tables(
    files: list[Path], config: SurveyConfig, njobs: int
) -> Iterator[ObservationRows]:
    """The observations of long tables, a bounded number at a time.

    Raises:
        RecordError: a file is damaged.
        DataAnomalyError: it lacks a column.
    """
    for path in files:
        table = open_table(path, config.columns)
        if not table.names:
            raise DataAnomalyError(f"{path} has no rows: there are no light curves in it.")
        columns = find_columns(path, table.names, config)
        if columns.id is None:
            raise DataAnomalyError(
                f"{path} has no column with the objects' ids; it has {', '.join(table.names)}. "
                "Call it ID, or name it in config.toml as [id_column] value. Files of one object "
                "each belong in a folder."
            )
        blocks = table.blocks(*columns_to_read(table, columns))
        for block in map_ahead(lambda parse: parse(), blocks, njobs):
            yield observations_of(block, table, columns)


def read_long_table(path: Path, *, id_column: str | None = None) -> Iterator[LightCurves]:
    """The light curves of one long table, a bounded number at a time, with their ids as written.

    The rows of a light curve must lie together, so that a table of any size can be read. Its
    columns have usual names; times are MJD.

    Args:
        path: a Parquet, text or FITS table.
        id_column: the column of ids; by default the one called id, ID or newID, or another
            usual name.

    Raises:
        DataNotFoundError: the file cannot be read, or lacks a column.
        LightCurveError: a value is no number, a row has no id, or the rows of a light curve do
            not lie together.
    """
    try:
        table = open_table(path)
    except (DataAnomalyError, RecordError) as error:
        raise _unreadable(path, error) from error
    try:
        name = id_column or next((name for name in ID_COLUMNS if name in table.names), None)
        config = default_config(path)
        if name:
            config = replace(config, id_column=name, described=True)
        columns = replace(find_columns(path, table.names, config), band=None, class_name=None)
    except (DataAnomalyError, UsageError):
        columns = None
    if columns is None or columns.id is None:
        raise DataNotFoundError(
            f"{path} must have a column of ids (--id-column), mjd, mag and, where known, errmag. "
            f"Received: {', '.join(table.names) or 'no column'}; there is no "
            f"{'id' if columns else 'mjd or no mag'}."
        )
    register = Register()

    def pieces() -> Iterator[Piece]:
        for parse in table.blocks(*columns_to_read(table, columns)):
            rows = observations_of(parse(), table, columns)
            with np.errstate(over="ignore"):
                mag, errmag = rows.value.astype(np.float32), rows.error.astype(np.float32)
            yield register.numbers_of(rows), rows.mjd, mag, errmag

    count = 0
    try:
        for numbers, curves in whole_curves(pieces()):
            # Light curves are numbered as they come: one with a smaller number has come before.
            again = numbers[numbers != count + np.arange(len(numbers))]
            if len(again) and again[0] < 0:
                raise LightCurveError(
                    f"Each row of {path} must have an id. Received: none in the column "
                    f"{columns.id} of some. Give them one, or remove them."
                )
            if len(again):
                raise LightCurveError(
                    f"The rows of a light curve must lie together. In {path} those of "
                    f"{register.names(int(again[0]))[0][0]} do not. Sort the table by {columns.id}."
                )
            ids = [name for name, _ in register.names(count, count + len(numbers))]
            yield replace(curves, ids=np.array(ids, np.str_))
            count += len(numbers)
    except RecordError as error:
        raise _unreadable(path, error) from error
    except DataAnomalyError as error:
        raise LightCurveError(str(error)) from error


def _unreadable(path: Path, error: Exception) -> DataNotFoundError:
    return DataNotFoundError(f"--data must be a table that can be read. Received: {path} ({error})")


@dataclass(frozen=True)
class ObservationRows:
    """Consecutive observations, times in the survey's system, values as they are.

    Attributes:
        ids, bands, classes: string arrays [n], without nulls, or one string for all.
        mjd, value, error: float64 [n], NaN where missing; value is a magnitude or a flux.
        flagged: observations that are not here because the survey says that they are bad.
    """

    ids: pa.Array | str
    bands: pa.Array | str
    classes: pa.Array | str
    mjd: np.ndarray
    value: np.ndarray
    error: np.ndarray
    flagged: int = 0

    def __len__(self) -> int:
        return len(self.mjd)


def columns_to_read(table: Table, columns: Columns) -> tuple[list[str], list[str]]:
    """Names of the columns with numbers and with texts."""
    quality = getattr(table, "quality", None)
    return [*columns.numbers, *([quality] if quality else [])], columns.texts


def observations_of(
    block: pa.Table, table: Table, columns: Columns, name: str = "", band: str = ""
) -> ObservationRows:
    """The observations of a block.

    Args:
        block: rows with the columns of :func:`columns_to_read`.
        table: where it comes from.
        columns: which column is which.
        name, band: of all observations, where the table has no such column.
    """
    quality = getattr(table, "quality", None)
    rows = block.num_rows
    if quality:
        block = block.filter(pc.equal(block.column(quality), 0))
    mjd = block.column(columns.time).to_numpy()
    if offset := getattr(table, "time_offset", 0.0):
        mjd = mjd + offset
    missing = np.full(len(mjd), np.nan)
    return ObservationRows(
        _texts(block, columns.id) if columns.id else name,
        _texts(block, columns.band) if columns.band else band,
        _texts(block, columns.class_name) if columns.class_name else "",
        mjd,
        block.column(columns.value).to_numpy(),
        block.column(columns.error).to_numpy() if columns.error else missing,
        flagged=rows - block.num_rows,
    )


class Register:
    """Numbers light curves, one for each object and band, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[tuple[str, str]] = []
        self.classes: list[str] = []

    def names(self, start: int = 0, stop: int | None = None) -> list[tuple[str, str]]:
        """Id and band of each light curve, or of those with some numbers."""
        return self._names[start:stop]

    def numbers_of(self, observations: ObservationRows) -> np.ndarray:
        """int64 [n], number of each observation's light curve; -1 where there is no id."""
        ids, bands, classes = observations.ids, observations.bands, observations.classes
        if isinstance(ids, str) and isinstance(bands, str):
            first = classes
            if not isinstance(classes, str):
                first = classes[0].as_py() if len(classes) else ""
            return np.full(len(observations), self._number(f"{ids}{_SEPARATOR}{bands}", first))
        joined = pc.binary_join_element_wise(ids, bands, _SEPARATOR)
        encoded = joined.dictionary_encode()
        indices = encoded.indices.to_numpy()
        keys = encoded.dictionary.to_pylist()
        if isinstance(classes, str):
            of_key = [classes] * len(keys)
        else:
            firsts = np.unique(indices, return_index=True)[1]
            of_key = classes.take(pa.array(firsts)).to_pylist()
        numbers = [self._number(key, name) for key, name in zip(keys, of_key, strict=True)]
        return np.array(numbers, np.int64)[indices] if keys else np.empty(0, np.int64)

    def _number(self, key: str, class_name: str) -> int:
        if key.startswith(_SEPARATOR):
            return -1
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self.classes):
            name, _, band = key.partition(_SEPARATOR)
            self._names.append((name, band))
            self.classes.append(class_name)
        return number


def _texts(block: pa.Table, name: str) -> pa.Array:
    column = block.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
    return pc.utf8_trim_whitespace(pc.fill_null(column, ""))


@dataclass(frozen=True)
class ObjectFile:
    """A file and what is known of it before it is read.

    Attributes:
        path: the file.
        name: id of its object, from the metadata or the name of the file.
        band: its band, where the metadata have it; else its own column has, if there is one.
        named: the metadata name this file, so that its headers do not name the object.
    """

    path: Path
    name: str
    band: str = ""
    named: bool = False


@dataclass(frozen=True)
class Plan:
    """What to read, and what not.

    Attributes:
        files: in the order of reading.
        unlisted: files that the metadata do not name.
        missing: names of files that are in the metadata and nowhere else.
    """

    files: tuple[ObjectFile, ...]
    unlisted: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()


def plan_objects(files: list[Path], catalogue: Catalogue | None) -> Plan:
    """Which file belongs to which object.

    Files are named in the metadata's column ``file`` (or ``path``, ``filename``), or carry
    the object's id as their stem.

    Raises:
        DataAnomalyError: two files have the same id, or a file belongs to two objects.
        DataNotFoundError: none of the files that the metadata name is there.
    """
    if catalogue is None or catalogue.file_column is None:
        seen: dict[str, Path] = {}
        for path in files:
            other = seen.setdefault(stem_of(path), path)
            if other is not path:
                raise DataAnomalyError(
                    f"{other} and {path} are both called {stem_of(path)!r}, which is to be the "
                    "id of one object. Rename one, or name the files in a column `file` of the "
                    "metadata."
                )
        return Plan(tuple(ObjectFile(path, name) for name, path in seen.items()))
    return _named_in(catalogue, catalogue.file_column, files)


def read_objects(
    plan: Plan, config: SurveyConfig, known: set[str] | None, njobs: int
) -> Iterator[ObservationRows]:
    """The light curves of all files, in their order.

    Args:
        plan: the files.
        config: names of the columns.
        known: ids in the metadata, where there are any; what a FITS header calls its object is
            the id if it is among them, or if there are none.
        njobs: files read at a time.

    Raises:
        RecordError, DataAnomalyError: a file is damaged, or lacks a column.
    """
    if any(kind_of(file.path) == FITS for file in plan.files):
        njobs = 1  # astropy reads in Python, where threads wait for each other
    yield from map_ahead(lambda file: read_object(file, config, known), plan.files, njobs)


def read_object(file: ObjectFile, config: SurveyConfig, known: set[str] | None) -> ObservationRows:
    """One file as one light curve, or as one in each band."""
    table = open_table(file.path, config.columns)
    nothing = np.empty(0)
    if not table.names:
        return ObservationRows(file.name, file.band, "", nothing, nothing, nothing)
    columns = replace(find_columns(file.path, table.names, config), id=None)
    if file.band:
        columns = replace(columns, band=None)
    name = file.name
    if not file.named:
        candidates = (*getattr(table, "objects", ()), name)
        name = next((c for c in candidates if known is None or c in known), name)
    blocks = [make() for make in table.blocks(*columns_to_read(table, columns))]
    if not blocks:
        return ObservationRows(name, file.band, "", nothing, nothing, nothing)
    return observations_of(pa.concat_tables(blocks), table, columns, name, file.band)


def _named_in(catalogue: Catalogue, file_column: str, files: list[Path]) -> Plan:
    folders = [*dict.fromkeys(path.parent for path in files), catalogue.path.parent]
    by_name = {path.name: path for path in files}
    ids = catalogue.texts(catalogue.id_column(stem_of(path) for path in files))
    bands = catalogue.bands or [""] * len(catalogue)
    planned: dict[Path, ObjectFile] = {}
    missing = []
    for name, band, given in zip(ids, bands, catalogue.texts(file_column), strict=True):
        path = by_name.get(given) or next(
            (p / given for p in folders if (p / given).is_file()), None
        )
        if path is None or not given:
            missing.append(given)
            continue
        before = planned.get(path)
        if before is not None and before.name != name:
            raise DataAnomalyError(
                f"{catalogue.path} names {path} for {before.name!r} and for {name!r}: each file "
                "holds one object. Correct the table."
            )
        # Where several rows name one file, its own column must have the band.
        band = band if before is None else ""
        planned[path] = ObjectFile(path, name, band, named=True)
    if not planned:
        raise DataNotFoundError(
            f"none of the {len(missing)} file(s) that {catalogue.path} names in its column "
            f"{file_column} is there, for instance {missing[0]!r} in {folders[0]}."
        )
    found = {path.resolve() for path in planned}
    unlisted = tuple(path for path in files if path.resolve() not in found)
    return Plan(tuple(planned.values()), unlisted, tuple(missing))
