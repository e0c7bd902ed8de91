"""Observations of any table, in one form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from astromer.records.sources.columns import Columns
from astromer.records.sources.tables import Table

_SEPARATOR = "\0"


@dataclass(frozen=True)
class Observations:
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
) -> Observations:
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
    mjd = _floats(block, columns.time)
    if offset := getattr(table, "time_offset", 0.0):
        mjd = mjd + offset
    missing = np.full(len(mjd), np.nan)
    return Observations(
        _texts(block, columns.id) if columns.id else name,
        _texts(block, columns.band) if columns.band else band,
        _texts(block, columns.class_name) if columns.class_name else "",
        mjd,
        _floats(block, columns.value),
        _floats(block, columns.error) if columns.error else missing,
        flagged=rows - block.num_rows,
    )


class Register:
    """Numbers light curves, one for each object and band, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.classes: list[str] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def names(self) -> list[tuple[str, str]]:
        """Id and band of each light curve."""
        return [_split(key) for key in self._numbers]

    def numbers_of(self, observations: Observations) -> np.ndarray:
        """int64 [n], number of each observation's light curve; -1 where there is no id."""
        ids, bands, classes = observations.ids, observations.bands, observations.classes
        if isinstance(ids, str) and isinstance(bands, str):
            first = classes if isinstance(classes, str) else _first(classes)
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
            self.classes.append(class_name)
        return number


def _split(key: str) -> tuple[str, str]:
    name, _, band = key.partition(_SEPARATOR)
    return name, band


def _first(names: pa.Array) -> str:
    return names[0].as_py() if len(names) else ""


def _floats(block: pa.Table, name: str) -> np.ndarray:
    values: np.ndarray = block.column(name).to_numpy()
    return values


def _texts(block: pa.Table, name: str) -> pa.Array:
    column = block.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
    return pc.utf8_trim_whitespace(pc.fill_null(column, ""))
