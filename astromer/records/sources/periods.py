"""The known periods of a survey: a column of its metadata, or of a table of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from astromer.records.cleaning import SMALLEST
from astromer.records.encoding import PERIOD
from astromer.records.sources.names import PERIOD_NAMES
from astromer.records.sources.tables import open_table
from astromer.records.sources.text_tables import MISSING
from astromer.records.survey_config import SurveyConfig
from astromer.records.survey_profile import first_of, id_columns
from astromer.system.errors import DataAnomalyError
from astromer.system.text import brief


@dataclass(frozen=True)
class KnownPeriods:
    """How many periods are known, and from where.

    Attributes:
        source: the column and its table, in words.
        light_curves: rows of the metadata with a known period.
        left_out: values that are no positive number.
    """

    source: str
    light_curves: int
    left_out: int

    def __str__(self) -> str:
        wrong = f"; {self.left_out:,} value(s) that are no positive number were left out"
        return (
            f"{self.light_curves:,} light curve(s) have a known period [days] ({self.source})"
            f"{wrong if self.left_out else ''}"
        )


def period_column(names: Sequence[str], config: SurveyConfig) -> str | None:
    """The metadata's column of periods: the config's, else one with a usual name.

    Where periods have a table of their own, the config's is a column of that table.
    """
    stated = "" if config.period_table else config.period_column
    found = stated or first_of(names, PERIOD_NAMES)
    return None if found == config.id_column else found


def as_periods(column: pa.ChunkedArray, name: str, path: object) -> np.ndarray:
    """float64 [n]: NaN where there is no value, 0 for text that is no number.

    Raises:
        DataAnomalyError: the column holds neither numbers nor text.
    """
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            texts = ((text or "").strip() for text in column.to_pylist())
            return np.array([np.nan if t in MISSING else _number(t) for t in texts], np.float64)
        return column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    except pa.ArrowException as error:
        raise DataAnomalyError(
            f"{path}: the column {name} must hold periods in days. Received: {column.type} "
            f"({brief(error)}). Name another one in config.toml as [period] value."
        ) from None


def with_periods(table: pa.Table, config: SurveyConfig) -> tuple[pa.Table, KnownPeriods | None]:
    """The context features of a survey with known periods as the feature ``Period``.

    Args:
        table: a row for each light curve, its ids as the survey has them.
        config: names the column, or the table of periods.

    Returns:
        The table, the period [days] a float64 and NaN where unknown, and what was found. The
        table has no such column where no period is known.

    Raises:
        RecordError, DataNotFoundError: the table of periods cannot be read.
        DataAnomalyError: it has no column of ids or periods, two periods for one object, or lists
            no light curve; or the column that the config names is not there.
    """
    own = period_column(table.column_names, config)
    if config.period_table is not None:
        values, source = _join(table, config, config.period_table)
    elif own is None:
        return table, None
    elif own not in table.column_names:
        raise DataAnomalyError(
            f"[period] value must be a column of the metadata. Received: {own!r}; they have "
            f"{', '.join(table.column_names)}. Correct config.toml."
        )
    else:
        values = as_periods(table.column(own), own, config.metadata)
        source = f"{own} of {config.metadata or config.light_curves}"
    with np.errstate(over="ignore"):
        recorded = values.astype(np.float32)
    known = (recorded > SMALLEST) & (recorded < np.inf)
    found = KnownPeriods(source, int(known.sum()), int((~known & ~np.isnan(values)).sum()))
    columns = {
        PERIOD if name == own else name: table.column(name)
        for name in table.column_names
        if name == own or name.lower() != PERIOD.lower()
    }
    if known.any():
        columns[PERIOD] = pa.array(np.where(known, values, np.nan))
    else:
        columns.pop(PERIOD, None)
    return pa.table(columns), found


def _join(table: pa.Table, config: SurveyConfig, path: Path) -> tuple[np.ndarray, str]:
    """float64 [rows], periods from a table of their own, and where they come from."""
    opened = open_table(path)
    column = config.period_column or first_of(opened.names, PERIOD_NAMES)
    ids = _ids(opened.names, config)
    if column not in opened.names or not ids:
        raise DataAnomalyError(
            f"{path} must have a column of periods ({config.period_column or PERIOD}) and one of "
            f"ids. Received: {', '.join(opened.names)}. Call them Period and ID, or name them in "
            "config.toml as [period] value and [id_column] value."
        )
    rows = opened.read(ids)
    theirs = {name: _texts(rows, name) for name in ids}
    ours = {name: _texts(table, name) for name in _ids(table.column_names, config)}
    matches = {
        (our, their): sum(map({*theirs[their]}.__contains__, ours[our]))
        for our in ours
        for their in theirs
    }
    our, their = max(matches, key=matches.__getitem__, default=("", ""))
    if not matches.get((our, their)):
        examples = ", ".join(f"{name} {texts[0]!r}" for name, texts in theirs.items() if texts)
        raise DataAnomalyError(
            f"{path} must list the survey's light curves. Received: other ids, such as "
            f"{examples or 'none'}, where the survey has "
            f"{', '.join(f'{name} {texts[0]!r}' for name, texts in ours.items())}. Give them the "
            "same ids."
        )
    periods: dict[str, float] = {}
    wanted = {*ours[our]}
    values = as_periods(rows.column(column), column, path)
    for name, period in zip(theirs[their], values.tolist(), strict=True):
        if name in wanted and period == period and periods.setdefault(name, period) != period:
            raise DataAnomalyError(
                f"{path} must give each object one period. Received: {periods[name]:g} and "
                f"{period:g} days for {their} {name!r}. Keep one of its rows."
            )
    found = np.array([periods.get(name, np.nan) for name in ours[our]], np.float64)
    return found, f"{column} of {path}, joined by {their}"


def _ids(names: Sequence[str], config: SurveyConfig) -> list[str]:
    """The columns that may hold ids, the config's first."""
    stated = [config.id_column] if config.id_column in names else []
    return list(dict.fromkeys([*stated, *id_columns(names)]))


def _texts(table: pa.Table, name: str) -> list[str]:
    return [(text or "").strip() for text in table.column(name).cast(pa.string()).to_pylist()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
