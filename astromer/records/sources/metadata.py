"""The metadata of a survey: which light curves there are, of which stars, with which periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from astromer.records.cleaning import SMALLEST
from astromer.records.division import star_key
from astromer.records.encoding import PERIOD, ContextValue
from astromer.records.sources.names import PERIOD_NAMES
from astromer.records.sources.tables import open_table, require_columns
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
            return np.array([np.nan if t in MISSING else _period(t) for t in texts], np.float64)
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


def periods_by_id(path: Path) -> dict[str, float]:
    """Known periods [days] by object; what is no positive number is left out.

    Args:
        path: a table with a column of ids and one of periods, both under usual names.

    Raises:
        RecordError, DataNotFoundError: it cannot be read.
        DataAnomalyError: it lacks a column, or gives an object two periods.
    """
    opened = open_table(path)
    column, ids = first_of(opened.names, PERIOD_NAMES), id_columns(opened.names)
    if column is None or not ids:
        raise DataAnomalyError(
            f"{path} must have a column of periods ({PERIOD}) and one of ids. Received: "
            f"{', '.join(opened.names)}. Call them Period and ID."
        )
    rows = opened.read(ids[:1])
    values = as_periods(rows.column(column), column, path)
    known = np.where((values > 0) & (values < np.inf), values, np.nan)
    return _one_for_each(_texts(rows, ids[0]), known, path, ids[0])


def _one_for_each(
    names: Sequence[str], values: np.ndarray, path: Path, column: str
) -> dict[str, float]:
    """Periods by object, NaN left out.

    Raises:
        DataAnomalyError: an object has two.
    """
    periods: dict[str, float] = {}
    for name, period in zip(names, values.tolist(), strict=True):
        if period == period and periods.setdefault(name, period) != period:
            raise DataAnomalyError(
                f"{path} must give each object one period. Received: {periods[name]:g} and "
                f"{period:g} days for {column} {name!r}. Keep one of its rows."
            )
    return periods


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
    values = as_periods(rows.column(column), column, path)
    values = np.where(np.isin(theirs[their], ours[our]), values, np.nan)
    periods = _one_for_each(theirs[their], values, path, their)
    found = np.array([periods.get(name, np.nan) for name in ours[our]], np.float64)
    return found, f"{column} of {path}, joined by {their}"


def _ids(names: Sequence[str], config: SurveyConfig) -> list[str]:
    """The columns that may hold ids, the config's first."""
    stated = [config.id_column] if config.id_column in names else []
    return list(dict.fromkeys([*stated, *id_columns(names)]))


def _texts(table: pa.Table, name: str) -> list[str]:
    return [(text or "").strip() for text in table.column(name).cast(pa.string()).to_pylist()]


def _period(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


_ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "float": pa.float64()}
_NULLS = {"string": "", "integer": -1, "float": float("nan")}
_STAR_COLUMNS = ("ID", "id", "Id")
_CLASS_COLUMNS = ("Class", "class", "Label", "label")
_BAND_COLUMNS = ("Band", "band")


@dataclass(frozen=True)
class Metadata:
    """One row per light curve.

    Attributes:
        table: the context columns, typed as the config says, without nulls; ``Period`` where
            periods are known.
        keys: int64 or bytes [rows], the id column.
        stars: int64 [rows], number of the star; curves of one star in several bands share
            it. Stars are numbered in the order of their names.
        classes: str [rows], what the division is stratified by.
        in_test_table: bool [rows], listed in the separate test metadata.
        shards: int64 [rows] or None, number of the shard file, where the table has it.
        id_column: the column that identifies light curves.
        periods: where known periods come from; None where no column of them was found.
    """

    table: pa.Table
    keys: np.ndarray
    stars: np.ndarray
    classes: np.ndarray
    in_test_table: np.ndarray
    shards: np.ndarray | None
    id_column: str
    periods: KnownPeriods | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def bands(self) -> np.ndarray | None:
        """str [rows], where there is such a column."""
        column = _first_column(self.table, _BAND_COLUMNS)
        return None if column is None else np.array(column.to_pylist(), np.str_)

    @property
    def names(self) -> np.ndarray:
        """str [rows], what the light curve's object is called."""
        column = _first_column(self.table, _STAR_COLUMNS)
        column = self.table.column(self.id_column) if column is None else column
        return np.array(column.cast(pa.string()).to_pylist(), np.str_)

    @property
    def labels(self) -> np.ndarray:
        """int64 [rows], number of the class; -1 where it is unknown."""
        column = _first_column(self.table, ("Label", "label"))
        if column is None or not pa.types.is_integer(column.type):
            return np.full(len(self), -1)
        return column.cast(pa.int64()).to_numpy()

    @property
    def known_periods(self) -> np.ndarray:
        """float64 [rows], days; NaN where it is unknown."""
        column = _first_column(self.table, (PERIOD,))
        return np.full(len(self), np.nan) if column is None else column.to_numpy()

    def contexts(self, rows: np.ndarray) -> list[dict[str, ContextValue]]:
        """Context features of some rows; an unknown period is none."""
        contexts: list[dict[str, ContextValue]] = self.table.take(pa.array(rows)).to_pylist()
        if PERIOD in self.table.column_names:
            for context in contexts:
                if context[PERIOD] != context[PERIOD]:
                    del context[PERIOD]
        return contexts


def load_metadata(config: SurveyConfig, path: Path) -> Metadata:
    """Reads a table of metadata, and the test metadata where there is one.

    A curve that both tables list is taken from the test metadata.

    Raises:
        RecordError: a file is no Parquet table.
        DataAnomalyError: a column is missing or of another type, an id is missing or
            occurs twice, or there are no rows.
    """
    table = _read(path, config)
    in_test = np.zeros(table.num_rows, bool)
    if config.test_metadata is not None:
        test = _read(config.test_metadata, config)
        ids = table.column(config.id_column)
        test_ids = test.column(config.id_column).combine_chunks()
        table = table.filter(pc.invert(pc.is_in(ids, value_set=test_ids)))
        in_test = np.arange(table.num_rows + test.num_rows) >= table.num_rows
        table = pa.concat_tables([table, test], promote=True)
    table, periods = with_periods(table.combine_chunks(), config)
    keys = as_keys(table.column(config.id_column))
    return make_metadata(table, config.id_column, keys, in_test, _shards(table), periods)


def make_metadata(
    table: pa.Table,
    id_column: str,
    keys: np.ndarray,
    in_test: np.ndarray,
    shards: np.ndarray | None,
    periods: KnownPeriods | None,
) -> Metadata:
    """Metadata of a table of context columns without nulls; see :class:`Metadata`."""
    return Metadata(
        table=table,
        keys=keys,
        stars=_number(_star_names(table, table.column(id_column))),
        classes=_class_names(table),
        in_test_table=in_test,
        shards=shards,
        id_column=id_column,
        periods=periods,
    )


def as_keys(ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Ids as an array that can be sorted and searched: int64, or bytes of one width.

    Raises:
        TypeError: they are neither whole numbers nor text.
    """
    if pa.types.is_dictionary(ids.type):
        ids = ids.cast(ids.type.value_type)
    if pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type):
        return np.array([value.encode() for value in ids.to_pylist()], dtype=np.bytes_)
    try:
        return ids.cast(pa.int64()).to_numpy()
    except pa.ArrowException:
        raise TypeError(f"ids must be whole numbers or text, they are {ids.type}") from None


def _read(path: Path, config: SurveyConfig) -> pa.Table:
    opened = open_table(path)
    names = list(config.context)
    own = None if config.period_table else period_column(opened.names, config)
    if own is not None and own not in names:
        names.append(own)
    require_columns(path, opened.names, names)
    table = opened.read([], names)
    if table.num_rows == 0:
        raise DataAnomalyError(f"{path} has no rows: there are no light curves in the survey.")
    _check_ids(table.column(config.id_column), config.id_column, path)
    columns = {n: fill_nulls(table.column(n), n, d, path) for n, d in config.context.items()}
    if own is not None:
        columns[own] = pa.array(as_periods(table.column(own), own, path))
    return pa.table(columns)


def _check_ids(ids: pa.ChunkedArray, name: str, path: Path) -> None:
    if ids.null_count:
        raise DataAnomalyError(
            f"{path}: {ids.null_count} row(s) have no {name}; every light curve needs one."
        )
    counts = pc.value_counts(ids)
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        example = repeated[0].as_py()
        raise DataAnomalyError(
            f"{path}: {name} must be unique, but {len(repeated)} value(s) occur more than once, "
            f"for instance {example['values']!r} {example['counts']} times. Give each light "
            "curve its own."
        )


def fill_nulls(
    column: pa.ChunkedArray, name: str, dtype: str, path: Path | None
) -> pa.ChunkedArray:
    """A column as 'string', 'integer' or 'float', with "", -1 or NaN for nulls.

    Raises:
        DataAnomalyError: it is of another type.
    """
    wanted = _ARROW_TYPES[dtype]
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    try:
        if dtype != "string" and is_text:
            raise pa.ArrowInvalid("text where numbers are expected")
        return pc.fill_null(column.cast(wanted), pa.scalar(_NULLS[dtype], wanted))
    except pa.ArrowException as error:
        raise DataAnomalyError(
            f"{path}: the column {name} must be {dtype}, it is {column.type} ({brief(error)}). "
            "Correct the table or the dtypes in config.toml."
        ) from None


def _star_names(table: pa.Table, ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """One name for all light curves of a star, however each of them writes it."""
    own = pc.binary_join_element_wise("\0", ids.cast(pa.string()), "")
    column = _first_column(table, _STAR_COLUMNS)
    if column is None:
        return own
    names = column.cast(pa.string()).to_pylist()
    bands = _first_column(table, _BAND_COLUMNS)
    of_band = [""] * len(names) if bands is None else bands.cast(pa.string()).to_pylist()
    keys = pa.array(map(star_key, names, of_band), pa.string())
    return pc.if_else(pc.equal(keys, ""), own, pa.chunked_array([keys]))


def _number(names: pa.ChunkedArray) -> np.ndarray:
    """int64, the rank of each value among the sorted unique ones."""
    encoded = names.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[encoded.indices.to_numpy()]


def _class_names(table: pa.Table) -> np.ndarray:
    column = _first_column(table, _CLASS_COLUMNS)
    if column is None:
        return np.full(table.num_rows, "")
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    return np.array(encoded.dictionary.to_pylist(), np.str_)[encoded.indices.to_numpy()]


def _shards(table: pa.Table) -> np.ndarray | None:
    column = _first_column(table, ("shard",))
    if column is None or not pa.types.is_integer(column.type):
        return None
    return column.to_numpy()


def _first_column(table: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray | None:
    return next((table.column(name) for name in names if name in table.column_names), None)
