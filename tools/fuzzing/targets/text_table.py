"""Any bytes as a text table of observations or metadata."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from astromer.records.sources.tables import Table
from astromer.records.sources.text_tables import open_text
from tools.fuzzing.target import Target, allowed, require


def check(data: bytes, folder: Path) -> None:
    """A table's columns have the types that were asked for and are equally long."""
    path = folder / "a.csv"
    path.write_bytes(data)
    table = allowed(lambda: open_text(path), path)
    if table is None or not table.names:
        return
    require(len(set(table.names)) == len(table.names), "two columns have one name")
    whole = allowed(lambda: table.read(table.names[:1]), path)
    if whole is not None:
        require(tuple(whole.column_names) == table.names, "columns were lost")
    numbers, texts = list(table.names[:3]), list(table.names[3:])
    blocks = allowed(lambda: _read(table, numbers, texts), path)
    for block in blocks or ():
        require(all(block.schema.field(n).type == pa.float64() for n in numbers), "no numbers")
        if whole is not None:
            require(block.num_rows == whole.num_rows, "rows were lost")


def _read(table: Table, numbers: list[str], texts: list[str]) -> list[pa.Table]:
    return [make() for make in table.blocks(numbers, texts)]


def seeds() -> Iterable[bytes]:
    """Tables with every delimiter, with and without header."""
    table = b"ID,mjd,mag,errmag,Band\na,55260.1,15.2,0.004,I\nb,55261.8,nan,,V\n"
    return [
        b"",
        table,
        table.replace(b",", b";"),
        b"# mjd mag err\n 1.0  2.0\t3.0 \r\n# x\n4 5 6\r\n",
        b'\xef\xbb\xbf"a b"\t"mag"\n"1\n2"\t3\n',
        gzip.compress(table, mtime=0),
    ]


TARGET = Target("text_table", "any bytes as a table of text: CSV and its kin, gzip", check, seeds)
