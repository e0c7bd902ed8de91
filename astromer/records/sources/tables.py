"""Tables of any kind, read alike."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from astromer.records.sources.names import FITS, PARQUET, TEXT, kind_of
from astromer.system.errors import DataAnomalyError, DataNotFoundError, RecordError
from astromer.system.storage import RemotePath
from astromer.system.text import brief

MOST_ROWS = 100_000_000
"""Of a table that is read as a whole: ten times the light curves of the largest surveys."""
ROWS_PER_BYTE = 100
"""Of such a table. Its ids are unique, so that a row takes a byte or so, however it is packed."""
_PICKLED = "a column is of a type that is pickled Python code"


class _Pickled(pa.ExtensionType):
    """Replaces the type that pyarrow before 14.0.1 makes of a pickle in the metadata.

    To open such a file was to run what is in it (CVE-2023-47248).
    """

    NAME = "arrow.py_extension_type"

    def __init__(self) -> None:
        super().__init__(pa.null(), self.NAME)

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> NoReturn:
        raise pa.ArrowInvalid(_PICKLED)


with contextlib.suppress(pa.ArrowKeyError):  # later versions do not know the name
    pa.unregister_extension_type(_Pickled.NAME)
    pa.register_extension_type(_Pickled())


def parquet_file(source: Path | IO[bytes]) -> pq.ParquetFile:
    """A Parquet file for reading with little memory; Arrow's errors are those of the caller."""
    source = source.open("rb") if isinstance(source, RemotePath) else source
    try:
        return pq.ParquetFile(source, buffer_size=1 << 20)
    except RuntimeError as error:  # of pyarrow_hotfix, which Beam loads, instead of _Pickled
        if _Pickled.NAME not in str(error):
            raise
        raise pa.ArrowInvalid(_PICKLED) from None


def open_parquet(path: Path) -> pq.ParquetFile:
    """Opens a Parquet file.

    Raises:
        RecordError: it is none.
    """
    try:
        return parquet_file(path)
    except (pa.ArrowException, OSError, ValueError) as error:  # of names that are no UTF-8, too
        raise RecordError(
            f"{path} cannot be read as a Parquet table: {brief(error)}. Copy it again."
        ) from None


def check_row_count(path: Path, file: pq.ParquetFile) -> None:
    """Makes sure that a table can be read as a whole.

    Raises:
        RecordError: it claims more rows than can be in a file of its size.
    """
    rows, size = file.metadata.num_rows, path.stat().st_size
    if rows > MOST_ROWS or rows > ROWS_PER_BYTE * size:
        raise RecordError(
            f"{path} is read as a whole and must have at most {MOST_ROWS:,} rows, and "
            f"{ROWS_PER_BYTE} for each byte. Received: {rows:,} rows in {size:,} bytes. Copy it "
            "again, or divide the survey."
        )


def check_values(values: pa.Table | pa.RecordBatch) -> None:
    """Raises ArrowInvalid for texts that are no UTF-8 and lists that point beyond their end."""
    values.validate(full=True)


def require_columns(path: Path, schema: pa.Schema, names: list[str]) -> None:
    """Raises DataAnomalyError where a table lacks a column."""
    missing = [name for name in names if name not in schema.names]
    if missing:
        raise DataAnomalyError(
            f"{path} lacks the column(s) {', '.join(missing)}; it has {', '.join(schema.names)}. "
            "Name the columns in config.toml if they are called differently."
        )


_ROWS = 1 << 18


class Table(Protocol):
    """A file with one row per line, observation or object."""

    @property
    def path(self) -> Path: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str]
    ) -> Iterator[Callable[[], pa.Table]]:
        """Some columns, as float64 and strings; what is yielded may be called in any thread."""
        ...

    def read(self, texts: Sequence[str]) -> pa.Table:
        """The whole table, with some columns as strings."""
        ...


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file."""

    path: Path
    names: tuple[str, ...]

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str]
    ) -> Iterator[Callable[[], pa.Table]]:
        """Reads some columns, a bounded number of rows at a time.

        Raises:
            RecordError: the file is damaged.
            DataAnomalyError: a column does not hold what it must.
        """
        types = {n: pa.float64() for n in numbers} | {n: pa.string() for n in texts}
        try:
            batches = open_parquet(self.path).iter_batches(batch_size=_ROWS, columns=list(types))
            for batch in batches:
                check_values(batch)
                block = pa.Table.from_batches([batch]).select(list(types))
                yield partial(self._cast, block, types)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"{self.path} is damaged: {brief(error)}. Copy it again.") from None

    def read(self, texts: Sequence[str]) -> pa.Table:
        """The whole table; columns other than ``texts`` keep their type."""
        try:
            file = open_parquet(self.path)
            check_row_count(self.path, file)
            table = file.read()
            check_values(table)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"{self.path} is damaged: {brief(error)}. Copy it again.") from None
        return self._cast(table, {name: pa.string() for name in texts})

    def _cast(self, table: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
        for position, name in enumerate(table.column_names):
            column = table.column(name)
            wanted = types.get(name, column.type)
            if column.type == wanted:
                continue
            try:
                if wanted == pa.float64() and pa.types.is_string(column.type):
                    raise pa.ArrowInvalid("text where numbers are expected")
                table = table.set_column(position, name, column.cast(wanted))
            except pa.ArrowException as error:
                raise DataAnomalyError(
                    f"{self.path}: the column {name} cannot be read as {wanted} ({brief(error)})."
                ) from None
        return table


def open_table(path: Path, columns: Sequence[str] = ()) -> Table:
    """Opens a text, FITS or Parquet table.

    Args:
        path: the file; its suffix gives its kind.
        columns: names of the columns, for text files without a header.

    Raises:
        DataNotFoundError: it is not there, or of no known kind.
        RecordError: it is damaged.
    """
    if not path.is_file():
        raise DataNotFoundError(f"there is no table {path}.")
    kind = kind_of(path)
    if kind == FITS:
        from astromer.records.sources.fits import open_fits

        return open_fits(path)
    if kind == PARQUET:
        return ParquetTable(path, tuple(open_parquet(path).schema_arrow.names))
    if kind == TEXT:
        from astromer.records.sources.text_tables import open_text

        return open_text(path, columns)
    raise DataNotFoundError(f"{path} is no table: its name must end in .csv, .fits, .parquet, ...")
