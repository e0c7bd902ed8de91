"""VOTable, ECSV, IPAC and CDS tables, read as a whole by astropy."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from astromer.records.framing import check_growth, unpacked
from astromer.records.sources.tables import as_text, numbers_of_texts
from astromer.system.environment import require
from astromer.system.errors import AstromerError, DataAnomalyError, RecordError
from astromer.system.text import brief

VOTABLE_FORMAT, ECSV, IPAC, CDS = "votable", "ascii.ecsv", "ascii.ipac", "ascii.cds"
_ELSEWHERE = re.compile(rb"<[^>]*STREAM[^>]*href", re.IGNORECASE)
_MOST_BYTES = 1 << 30
"""1 GiB: of a file that astropy reads as a whole."""


@dataclass(frozen=True)
class AstropyTable:
    """A table in memory.

    Attributes:
        path: the file.
        names: of its columns.
        units: of columns that have one.
        table: what astropy read.
    """

    path: Path
    names: tuple[str, ...]
    units: Mapping[str, str]
    header: Mapping[str, Any]
    table: Any

    comments: ClassVar[Sequence[str]] = ()

    def holds_numbers(self, name: str) -> bool:
        """Whether a column is of another type than text."""
        return self.table[name].dtype.kind not in "SUO"

    def is_single(self, name: str) -> bool:
        """Whether a column is of single precision."""
        return bool(self.table[name].dtype == np.float32)

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str], marks: Sequence[str] = ()
    ) -> Iterator[Callable[[], pa.Table]]:
        """Some columns, in one block; arrays in cells are rows of their own.

        Raises:
            DataAnomalyError: a column does not hold what it must.
        """
        names = [*numbers, *texts]
        lengths = {name: found for name in names if (found := self._lengths(name)) is not None}
        first = next(iter(lengths), None)
        table: AstropyTable | _Flat = self
        if first is not None:
            for name, own in lengths.items():
                if not np.array_equal(own, lengths[first]):
                    raise DataAnomalyError(
                        f"{self.path}: the arrays of a row must be equally long. Received: those "
                        f"of {first} and {name} are not."
                    )
            table = _Flat(self, lengths[first])
        columns = {name: table.numbers(name, marks) for name in numbers}
        columns |= {name: table.texts(name) for name in texts}
        yield partial(pa.table, columns)

    def _lengths(self, name: str) -> np.ndarray | None:
        """int64 [rows], of the arrays that a column holds; None where it holds single values."""
        values = self.table[name]
        if values.ndim > 1:
            return np.full(len(values), int(np.prod(values.shape[1:])))
        if values.dtype.kind != "O":
            return None
        cells = np.asarray(values, object)
        if not any(isinstance(cell, (list, np.ndarray)) for cell in cells):
            return None
        return np.array([np.size(cell) if cell is not None else 0 for cell in cells])

    def read(self, texts: Sequence[str], wanted: Sequence[str] | None = None) -> pa.Table:
        """The whole table, with some columns as strings; columns of vectors are left out."""
        columns = {}
        for name in wanted or self.names:
            values = self.table[name]
            if values.ndim == 1:
                is_text = name in texts or values.dtype.kind in "SUO"
                columns[name] = self.texts(name) if is_text else self._array(name)
        return pa.table(columns)

    def _array(self, name: str) -> pa.Array:
        values = self.table[name]
        if values.ndim != 1:
            raise DataAnomalyError(
                f"{self.path}: the column {name} must hold one value in each row. Received: shape "
                f"{list(values.shape)}."
            )
        missing = np.ma.getmaskarray(values) if hasattr(values, "mask") else None
        plain = np.asarray(getattr(values, "filled", lambda: values)())
        if plain.dtype.kind in "SUO":
            found = [_text(value) for value in np.ma.getdata(np.asarray(plain)).tolist()]
            return pa.array(found, pa.string(), mask=missing)
        return pa.array(plain.astype(plain.dtype.newbyteorder("=")), mask=missing)

    def numbers(self, name: str, marks: Sequence[str]) -> pa.Array:
        """A column as float64."""
        column = self._array(name)
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        try:
            if marks and pa.types.is_string(column.type):
                return numbers_of_texts(column, marks)
            return column.cast(pa.float64(), safe=False)
        except pa.ArrowException as error:
            raise DataAnomalyError(
                f"{self.path}: the column {name} must hold numbers ({brief(error)})."
            ) from None

    def texts(self, name: str) -> pa.Array:
        """A column as strings."""
        try:
            return as_text(self._array(name))
        except pa.ArrowException as error:
            raise DataAnomalyError(
                f"{self.path}: the column {name} cannot be read as text ({brief(error)})."
            ) from None


@dataclass(frozen=True)
class _Flat:
    """A table whose cells are arrays, one row for each of their values."""

    table: AstropyTable
    lengths: np.ndarray

    def numbers(self, name: str, marks: Sequence[str]) -> pa.Array:
        """float64."""
        column = self._column(name)
        if column is None:
            return self.table.numbers(name, marks).take(self._rows())
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        return column.cast(pa.float64(), safe=False)

    def texts(self, name: str) -> pa.Array:
        """Strings."""
        column = self._column(name)
        return self.table.texts(name).take(self._rows()) if column is None else as_text(column)

    def _rows(self) -> pa.Array:
        return pa.array(np.repeat(np.arange(len(self.lengths)), self.lengths))

    def _column(self, name: str) -> pa.Array | None:
        """The values of all cells; None where each row has one."""
        values = self.table.table[name]
        if values.ndim == 1 and values.dtype.kind != "O":
            return None
        cells = [np.ma.ravel(cell) for cell in values if cell is not None and np.size(cell)]
        if not cells or (values.ndim == 1 and not isinstance(values[0], (list, np.ndarray))):
            return None
        joined = np.ma.concatenate(cells)
        plain = np.ma.getdata(joined)
        if plain.dtype.kind in "SU":
            plain = plain.astype(np.str_).astype(object)
        return pa.array(plain, mask=np.ma.getmaskarray(joined))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def open_with_astropy(path: Path, kind: str) -> AstropyTable:
    """Reads a table, plain or gzip.

    Args:
        path: the file. A table of CDS has its description at its beginning, or in a file ReadMe
            beside it.
        kind: astropy's name of the format.

    Raises:
        MissingExtraError: astropy is not installed.
        RecordError: the file cannot be read.
    """
    require("fits", "astropy")
    from astropy.table import Table

    try:
        content = _content(path)
        if kind == VOTABLE_FORMAT and _ELSEWHERE.search(content):
            # astropy would open whatever it names.
            raise RecordError(
                f"{path} must hold its data itself. Received: a STREAM with an href. Save it as "
                "one file."
            )
        source: Any = io.BytesIO(content)
        options: dict[str, Any] = {}
        if kind != VOTABLE_FORMAT:
            source = content.decode("utf-8-sig", errors="replace")
        if kind == CDS and (readme := path.with_name("ReadMe")).is_file():
            source, options = str(path), {"readme": str(readme)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == VOTABLE_FORMAT:
                table = Table.read(source, format=kind)
            else:
                table = Table.read(source, format=kind, **options)
    except AstromerError:
        raise
    except Exception as error:  # for what is damaged, astropy raises many kinds
        raise RecordError(
            f"{path} cannot be read as {kind.removeprefix('ascii.')}: {brief(error)}. Copy it "
            "again, or write it as CSV or Parquet."
        ) from None
    names = tuple(str(name) for name in table.colnames)
    units = {n: str(table[n].unit) for n in names if getattr(table[n], "unit", None) is not None}
    return AstropyTable(path, names, units, {}, table)


def _content(path: Path) -> bytes:
    with path.open("rb") as raw:
        stream, packed = unpacked(raw)
        content = stream.read(_MOST_BYTES + 1)
        if packed:
            check_growth(path, raw.tell(), len(content))
    if len(content) > _MOST_BYTES:
        raise RecordError(
            f"{path} is read as a whole and must have at most {_MOST_BYTES:,} bytes. Received: "
            "more. Write it as CSV or Parquet."
        )
    return content
