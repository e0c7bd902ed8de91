"""Parquet files, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from astromer.errors import DataAnomalyError, RecordError


def open_parquet(path: Path) -> pq.ParquetFile:
    """Opens a Parquet file for reading with little memory.

    Raises:
        RecordError: it is none.
    """
    try:
        return pq.ParquetFile(path, buffer_size=1 << 20)
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{path} cannot be read as a Parquet table: {brief(error)}") from None


def require_columns(path: Path, schema: pa.Schema, names: list[str]) -> None:
    """Raises DataAnomalyError where a table lacks a column."""
    missing = [name for name in names if name not in schema.names]
    if missing:
        raise DataAnomalyError(
            f"{path} lacks the column(s) {', '.join(missing)}; it has {', '.join(schema.names)}. "
            "Name the columns in config.toml if they are called differently."
        )


def brief(error: Exception) -> str:
    """The first line of a library's message."""
    return str(error).split("\n")[0].strip().rstrip(".")
