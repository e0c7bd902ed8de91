"""Any bytes as a Parquet table of observations or metadata."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from astromer.records.sources.metadata import load_metadata
from astromer.records.sources.tables import Table, open_table
from astromer.records.survey_config import default_config
from tools.fuzzing.target import Target, allowed, require


def check(data: bytes, folder: Path) -> None:
    """A table is read as a whole, in blocks and as metadata, or refused."""
    path = folder / "metadata.parquet"
    path.write_bytes(data)
    table = allowed(lambda: open_table(path), path)
    if table is None:
        return
    whole = allowed(lambda: table.read(table.names[:1]), path)
    blocks = allowed(lambda: _read(table, list(table.names[1:3]), list(table.names[:1])), path)
    if whole is not None and blocks is not None and len(set(table.names)) == len(table.names):
        require(sum(b.num_rows for b in blocks) == whole.num_rows, "rows were lost")
    metadata = allowed(lambda: load_metadata(default_config(folder), path), path)
    if metadata is not None:
        require(len(metadata) == len(metadata.stars) == len(metadata.classes), "rows were lost")


def _read(table: Table, numbers: list[str], texts: list[str]) -> list[pa.Table]:
    return [make() for make in table.blocks(numbers, texts)]


def seeds() -> Iterable[bytes]:
    """Tables of metadata and of observations."""
    metadata = pa.table(
        {
            "newID": [1, 2],
            "ID": ["a", "b"],
            "Class": ["RRab", None],
            "Band": ["I", "V"],
            "Label": [0, 1],
            "shard": [0, 0],
        }
    )
    curves = pa.table({"newID": [1, 1], "mjd": [1.5, 2.5], "mag": [15.0, None], "errmag": [0.1, 0]})
    return [b"", *(_bytes(t, c) for t in (metadata, curves) for c in ("none", "snappy", "gzip"))]


def _bytes(table: pa.Table, compression: str) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=compression)
    return sink.getvalue()


TARGET = Target("parquet_table", "any bytes as a Parquet table", check, seeds, longest=1 << 14)
