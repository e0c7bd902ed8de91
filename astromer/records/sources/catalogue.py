"""The metadata table of a survey whose observations do not carry its row numbers."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from astromer.records.encoding import PERIOD
from astromer.records.sources.metadata import (
    Metadata,
    fill_nulls,
    make_metadata,
    period_column,
    with_periods,
)
from astromer.records.sources.names import BAND, CLASS, CONTEXT, FILE, stem_of
from astromer.records.sources.tables import open_table
from astromer.records.survey_config import SurveyConfig
from astromer.records.survey_profile import first_of, id_columns
from astromer.system.errors import DataAnomalyError


@dataclass(frozen=True)
class Catalogue:
    """One row per light curve, or per star.

    Attributes:
        path: the file.
        table: its columns; ids, files, classes and bands are strings.
        in_test: for each row, whether the separate test table lists it.
        stated_id: the id column that the config names, if it does.
    """

    path: Path
    table: pa.Table
    in_test: tuple[bool, ...]
    stated_id: str | None

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def bands(self) -> list[str] | None:
        """Band of each row, where there is such a column."""
        name = first_of(self.table.column_names, BAND)
        return None if name is None else self.texts(name)

    @property
    def file_column(self) -> str | None:
        """The column that names files."""
        return first_of(self.table.column_names, FILE)

    @property
    def class_column(self) -> str | None:
        """The column that becomes Class."""
        return first_of(self.table.column_names, CLASS[:-1])

    def texts(self, name: str) -> list[str]:
        """A column as strings, empty where there is no value."""
        return [(value or "").strip() for value in self.table.column(name).to_pylist()]

    def possible_ids(self) -> list[str]:
        """Columns that may hold the objects' ids."""
        return [self.stated_id] if self.stated_id else id_columns(self.table.column_names)

    def known_ids(self) -> set[str]:
        """What these columns hold."""
        return {text for name in self.possible_ids() for text in self.texts(name)}

    def id_column(self, observed: Iterable[str]) -> str:
        """The column that names the objects: the stated one, or the one with most matches.

        Args:
            observed: ids that light curves have.

        Raises:
            DataAnomalyError: there is none.
        """
        names = self.possible_ids()
        if not names:
            raise DataAnomalyError(
                f"{self.path} has no column with the objects' ids; it has "
                f"{', '.join(self.table.column_names)}. Call it ID, or name it in config.toml as "
                "[id_column] value."
            )
        known = set(observed)
        matches = [sum(text in known for text in self.texts(name)) for name in names]
        return names[matches.index(max(matches))]

    def refuse_repeats(self, ids: list[str]) -> None:
        """Raises DataAnomalyError where two rows have the same id and band, or one has no id."""
        empty = sum(not name for name in ids)
        if empty:
            raise DataAnomalyError(
                f"{self.path}: {empty} row(s) have no id; every light curve needs one."
            )
        counts = Counter(zip(ids, self.bands or [""] * len(ids), strict=True))
        repeated = [key for key, count in counts.items() if count > 1]
        if repeated:
            name, band = repeated[0]
            of_band = f" in band {band}" if band else ""
            raise DataAnomalyError(
                f"{self.path}: ids must be unique in each band, but {len(repeated)} occur more "
                f"than once, for instance {name!r}{of_band} {counts[name, band]} times."
            )


def read_catalogue(config: SurveyConfig) -> Catalogue | None:
    """Reads the metadata table and the test table, whatever their format.

    Raises:
        RecordError, DataAnomalyError: a table cannot be read, or has no rows.
    """
    if config.metadata is None:
        return None
    table = _read(config.metadata, config)
    in_test = [False] * table.num_rows
    stated = config.id_column if config.described else None
    if stated is not None and stated not in table.column_names:
        raise DataAnomalyError(
            f"{config.metadata} lacks the column {stated}; it has {', '.join(table.column_names)}."
        )
    if config.test_metadata is not None:
        test = _read(config.test_metadata, config)
        name = stated or next(iter(id_columns(test.column_names)), None)
        if name is None or name not in table.column_names or name not in test.column_names:
            raise DataAnomalyError(
                f"{config.test_metadata} and {config.metadata} have no id column in common."
            )
        listed = set(test.column(name).to_pylist())
        table = table.filter(pa.array([v not in listed for v in table.column(name).to_pylist()]))
        in_test = [False] * table.num_rows + [True] * test.num_rows
        table = pa.concat_tables([table, test], promote=True)
    return Catalogue(config.metadata, table.combine_chunks(), tuple(in_test), stated)


def _read(path: Path, config: SurveyConfig) -> pa.Table:
    opened = open_table(path)
    names = list(opened.names)
    texts = {*id_columns(names), first_of(names, FILE), first_of(names, BAND)}
    texts |= {first_of(names, CLASS[:-1]), config.id_column}
    table = opened.read([name for name in names if name in texts])
    if table.num_rows == 0:
        raise DataAnomalyError(f"{path} has no rows: there are no light curves in the survey.")
    file_column = first_of(names, FILE)
    if file_column and not id_columns(names) and config.id_column not in names:
        stems = [stem_of(Path(name or "")) for name in table.column(file_column).to_pylist()]
        table = table.append_column("ID", pa.array(stems))
    return table


@dataclass(frozen=True)
class Joined:
    """Metadata of a survey, and what did not fit.

    Attributes:
        config: the config of the records: their context features.
        metadata: its keys are the numbers of the light curves, negative for rows without any.
        without_row: ids of light curves that the metadata table does not list.
        without_observations: ids of its rows for which no observation was found.
        joined_by: the column of the metadata table that names the light curves; "" without one.
    """

    config: SurveyConfig
    metadata: Metadata
    without_row: tuple[str, ...] = ()
    without_observations: tuple[str, ...] = ()
    joined_by: str = ""


def metadata_of(config: SurveyConfig, names: list[tuple[str, str]], classes: list[str]) -> Joined:
    """Metadata of light curves without a metadata table: id, band and class of each."""
    columns: dict[str, list] = {"ID": [name for name, _ in names]}
    if any(classes):
        columns["Class"] = classes
    if any(band for _, band in names):
        columns["Band"] = [band for _, band in names]
    numbers = np.arange(len(names))
    return _finish(config, pa.table(columns), numbers, np.zeros(len(names), bool))


def metadata_of_records(config: SurveyConfig, table: pa.Table) -> Joined:
    """Metadata of records: one row each, with their context features."""
    if "ID" not in table.column_names and "newID" in table.column_names:
        table = table.append_column("ID", table.column("newID").cast(pa.string()))
    rows = table.num_rows
    return _finish(
        dataclasses.replace(config, described=False), table, np.arange(rows), np.zeros(rows, bool)
    )


def join(config: SurveyConfig, names: list[tuple[str, str]], catalogue: Catalogue) -> Joined:
    """Metadata of the light curves that a table lists.

    A light curve belongs to the row with its id and band. A table without bands, or with one
    row for a star and no band in it, stands for all bands of the star.

    Raises:
        DataAnomalyError: an id occurs twice, or no light curve is in the table.
    """
    column = catalogue.id_column(name for name, _ in names)
    ids = catalogue.texts(column)
    catalogue.refuse_repeats(ids)
    bands = catalogue.bands
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(ids):
        rows_of[name].append(row)
    taken: list[int] = []
    numbers: list[int] = []
    found: list[str] = []
    lost: list[str] = []
    for number, (name, band) in enumerate(names):
        own = _row(name, band, rows_of, bands, catalogue)
        if own is None:
            lost.append(name)
            continue
        taken.append(own)
        numbers.append(number)
        found.append(band or (bands[own] if bands else ""))
    if not taken:
        raise DataAnomalyError(
            f"no light curve is listed in {catalogue.path}: its {column} are like {ids[0]!r}, "
            f"the light curves are called like {names[0][0] if names else ''!r}. Give them the "
            "same ids."
        )
    rest = sorted(set(range(len(catalogue))) - set(taken))
    numbers += [-1 - position for position in range(len(rest))]
    found += [bands[row] if bands else "" for row in rest]
    chosen = pa.array(taken + rest, pa.int64())
    table = _context(config, catalogue, column, chosen, found)
    in_test = np.array(catalogue.in_test, bool)[chosen.to_numpy()]
    joined = _finish(config, table, np.array(numbers, np.int64), in_test)
    unobserved = tuple(dict.fromkeys(ids[row] for row in rest))
    return Joined(joined.config, joined.metadata, tuple(lost), unobserved, column)


def _row(
    name: str,
    band: str,
    rows_of: dict[str, list[int]],
    bands: list[str] | None,
    catalogue: Catalogue,
) -> int | None:
    rows = rows_of.get(name, [])
    if bands is not None and band:
        own = [row for row in rows if bands[row] == band]
        fitting = own or [row for row in rows if not bands[row]]
        return fitting[0] if fitting else None
    if len(rows) > 1:
        raise DataAnomalyError(
            f"{catalogue.path} has {len(rows)} rows for {name!r} (bands "
            f"{', '.join(bands[row] for row in rows) if bands else 'unknown'}), but its "
            "observations have no band. Give them a band column."
        )
    return rows[0] if rows else None


def _context(
    config: SurveyConfig, catalogue: Catalogue, column: str, rows: pa.Array, bands: list[str]
) -> pa.Table:
    """The columns of the records' context, under their usual names."""
    table = catalogue.table.take(rows)
    if config.described:
        names = list(config.context)
        own = period_column(table.column_names, config)
        if own is not None and own not in names:
            names.append(own)
        missing = [name for name in names if name not in table.column_names]
        if missing:
            raise DataAnomalyError(
                f"{catalogue.path} lacks the column(s) {', '.join(missing)}; it has "
                f"{', '.join(table.column_names)}. Correct [context_features] in config.toml."
            )
        columns = {name: table.column(name) for name in names}
        if any(bands) and first_of(list(columns), BAND) is None:
            columns["Band"] = pa.array(bands)
        return pa.table(columns)
    columns = {name: table.column(name) for name in table.column_names}
    columns.pop(catalogue.file_column or "", None)
    if column.lower() not in ("id", "newid"):
        columns = {"ID": columns.pop(column), **columns}
    usual = {first_of(list(columns), CLASS[:-1]): "Class", first_of(list(columns), BAND): "Band"}
    usual |= {n: CONTEXT[n.lower()] for n in columns if n.lower() in ("id", "newid", "label")}
    columns = {usual.get(name, name): values for name, values in columns.items()}
    if any(bands):
        columns["Band"] = pa.array(bands)
    return pa.table(columns)


def _finish(config: SurveyConfig, table: pa.Table, keys: np.ndarray, in_test: np.ndarray) -> Joined:
    table, periods = with_periods(table, config)
    if not config.described:
        table = _numbered(table)
    context = {
        name: config.context.get(name, "string") if config.described else _dtype(table, name)
        for name in table.column_names
    }
    if PERIOD in context:
        context[PERIOD] = "float"
    filled = [fill_nulls(table.column(n), n, d, config.metadata) for n, d in context.items()]
    table = pa.table(filled, names=list(context))
    config = config.with_context(context, config.id_column if config.described else "newID")
    return Joined(config, make_metadata(table, config.id_column, keys, in_test, None, periods))


def _numbered(table: pa.Table) -> pa.Table:
    """With a newID that is a unique number, and a Label for each Class."""
    rows = table.num_rows
    columns = {name: table.column(name) for name in table.column_names}
    try:
        own = columns.pop("newID").cast(pa.int64())
        unique = len(own.unique()) == rows and not own.null_count
    except (KeyError, pa.ArrowException):
        unique = False
    new = own if unique else pa.array(np.arange(rows))
    columns = {"newID": new, **columns}
    if "ID" not in columns:
        columns["ID"] = new.cast(pa.string())
    if "Class" in columns and "Label" not in columns:
        classes = columns["Class"].cast(pa.string()).to_pylist()
        numbers = {name: number for number, name in enumerate(sorted({c or "" for c in classes}))}
        columns["Label"] = pa.array([numbers[name or ""] for name in classes], pa.int64())
    return pa.table(columns)


def _dtype(table: pa.Table, name: str) -> str:
    kind = table.schema.field(name).type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return "integer"
    return "float" if pa.types.is_floating(kind) else "string"
