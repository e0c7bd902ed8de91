"""Joins the light curves that were found with the rows of a metadata table."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from astromer.records.metadata import Metadata, assemble, fill_nulls
from astromer.records.sources.catalogue import Catalogue
from astromer.records.sources.columns import BAND, CLASS, first_of
from astromer.records.survey_config import SurveyConfig
from astromer.system.errors import DataAnomalyError


@dataclass(frozen=True)
class Joined:
    """Metadata of a survey, and what did not fit.

    Attributes:
        config: the config of the records: their context features.
        metadata: its keys are the numbers of the light curves, negative for rows without any.
        without_row: ids of light curves that the metadata table does not list.
        without_observations: ids of its rows for which no observation was found.
    """

    config: SurveyConfig
    metadata: Metadata
    without_row: tuple[str, ...] = ()
    without_observations: tuple[str, ...] = ()


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
    for place, name in enumerate(ids):
        rows_of[name].append(place)
    taken: list[int] = []
    numbers: list[int] = []
    found: list[str] = []
    lost: list[str] = []
    for number, (name, band) in enumerate(names):
        row = _row(name, band, rows_of, bands, catalogue)
        if row is None:
            lost.append(name)
            continue
        taken.append(row)
        numbers.append(number)
        found.append(band or (bands[row] if bands else ""))
    if not taken:
        raise DataAnomalyError(
            f"no light curve is listed in {catalogue.path}: its {column} are like {ids[0]!r}, "
            f"the light curves are called like {names[0][0] if names else ''!r}. Give them the "
            "same ids."
        )
    rest = sorted(set(range(len(catalogue))) - set(taken))
    numbers += [-1 - place for place in range(len(rest))]
    found += [bands[place] if bands else "" for place in rest]
    chosen = pa.array(taken + rest, pa.int64())
    table = _context(config, catalogue, column, chosen, found)
    in_test = np.array(catalogue.in_test, bool)[chosen.to_numpy()]
    joined = _finish(config, table, np.array(numbers, np.int64), in_test)
    return Joined(
        joined.config, joined.metadata, tuple(lost), tuple(dict.fromkeys(ids[r] for r in rest))
    )


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
            "observations do not tell their band. Give them a band column."
        )
    return rows[0] if rows else None


def _context(
    config: SurveyConfig, catalogue: Catalogue, column: str, rows: pa.Array, bands: list[str]
) -> pa.Table:
    """The columns of the records' context, under their usual names."""
    table = catalogue.table.take(rows)
    if config.described:
        missing = [name for name in config.context if name not in table.column_names]
        if missing:
            raise DataAnomalyError(
                f"{catalogue.path} lacks the column(s) {', '.join(missing)}; it has "
                f"{', '.join(table.column_names)}. Correct [context_features] in config.toml."
            )
        columns = {name: table.column(name) for name in config.context}
        if any(bands) and first_of(list(columns), BAND) is None:
            columns["Band"] = pa.array(bands)
        return pa.table(columns)
    columns = {name: table.column(name) for name in table.column_names}
    columns.pop(catalogue.file_column or "", None)
    if column.lower() not in ("id", "newid"):
        columns = {"ID": columns.pop(column), **columns}
    usual = {first_of(list(columns), CLASS[:-1]): "Class", first_of(list(columns), BAND): "Band"}
    usual |= {name: proper for name in columns if (proper := _PROPER.get(name.lower()))}
    columns = {usual.get(name, name): values for name, values in columns.items()}
    if any(bands):
        columns["Band"] = pa.array(bands)
    return pa.table(columns)


_PROPER = {"id": "ID", "newid": "newID", "label": "Label"}


def _finish(config: SurveyConfig, table: pa.Table, keys: np.ndarray, in_test: np.ndarray) -> Joined:
    if not config.described:
        table = _numbered(table)
    context = {}
    columns = []
    for name in table.column_names:
        context[name] = (
            config.context.get(name, "string") if config.described else _dtype(table, name)
        )
        columns.append(fill_nulls(table.column(name), name, context[name], config.metadata))
    table = pa.table(columns, names=list(context))
    config = config.with_context(context, config.id_column if config.described else "newID")
    return Joined(config, assemble(table, config.id_column, keys, in_test, None))


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
