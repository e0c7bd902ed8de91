"""Parquet files, and what is wrong with one."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import IO, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from astromer.system.errors import DataAnomalyError, RecordError
from astromer.system.text import brief

MOST_ROWS = 100_000_000
"""Of a table that is read as a whole: ten times the light curves of the largest surveys."""
ROWS_PER_BYTE = 100
"""Of such a table. Its ids are unique, so that a row takes a byte or so, however it is packed."""
_PICKLED = "a column is of a type that is pickled Python code"


class _Pickled(pa.ExtensionType):
    """Takes the place of the type that pyarrow before 14.0.1 makes of a pickle in the metadata.

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
    try:
        return pq.ParquetFile(source, buffer_size=1 << 20)
    except RuntimeError as error:  # of pyarrow_hotfix, which Beam loads, in the place of _Pickled
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


def check_whole(path: Path, file: pq.ParquetFile) -> None:
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
