"""Light curves of a long table, Parquet or CSV, read a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from astromer.light_curves import LightCurves
from astromer.records.curve_inputs import ID_COLUMNS, as_light_curves, divided_by_id
from astromer.system.errors import DataNotFoundError, LightCurveError
from astromer.system.storage import RemotePath
from astromer.system.text import brief

_ROWS = 200_000


def read_long_table(
    path: Path, *, id_column: str | None = None, rows: int = _ROWS
) -> Iterator[LightCurves]:
    """Yields the light curves of a table with columns of ids, mjd, mag and errmag.

    The rows of a light curve must lie together, so that a table of any size can be read.

    Args:
        path: Parquet, or CSV with a header.
        id_column: the column of ids; by default the one called id, ID or newID.
        rows: rows that are read at a time.

    Raises:
        DataNotFoundError: if the file cannot be read, or lacks a column.
        LightCurveError: if the rows of a light curve do not lie together.
    """
    import pyarrow as pa

    left: Any = None
    seen: set[str] = set()
    try:
        for piece in _pieces(path, rows):
            name = _id_column(piece.schema.names, id_column, path)
            table = piece if left is None else pa.concat_tables([left, piece])
            ids = table[name].to_numpy()
            # The last light curve may go on in the next piece.
            changes = np.flatnonzero(ids[1:] != ids[:-1])
            whole = int(changes[-1]) + 1 if len(changes) else 0
            left = table.slice(whole)
            if whole:
                yield _packed(table.slice(0, whole), name, path, seen)
        if left is not None:
            yield _packed(left, name, path, seen)
    except (pa.ArrowException, OSError) as error:
        raise DataNotFoundError(
            f"--data must be a table that can be read. Received: {path} ({brief(error)})."
        ) from error


def _pieces(path: Path, rows: int) -> Iterator[Any]:
    import pyarrow as pa

    source = path.open("rb") if isinstance(path, RemotePath) else path
    if path.suffix == ".csv":
        from pyarrow import csv

        batches = csv.open_csv(source)
    else:
        from astromer.records.parquet import parquet_file

        batches = parquet_file(source).iter_batches(batch_size=rows)
    for batch in batches:
        if batch.num_rows:
            yield pa.Table.from_batches([batch])


def _id_column(columns: list[str], wanted: str | None, path: Path) -> str:
    name = wanted or next((name for name in ID_COLUMNS if name in columns), "id")
    missing = [column for column in (name, "mjd", "mag") if column not in columns]
    if missing:
        raise DataNotFoundError(
            f"{path} must have a column of ids (--id-column), mjd, mag and, where known, errmag. "
            f"Received: {', '.join(columns)}; there is no {' or '.join(missing)}."
        )
    return name


def _packed(table: Any, name: str, path: Path, seen: set[str]) -> LightCurves:
    series = [field for field in ("mjd", "mag", "errmag") if field in table.column_names]
    ids = table[name].to_numpy().astype(str)
    curves = as_light_curves({field: table[field].to_numpy() for field in series})
    curves = divided_by_id(curves, ids)
    again = seen.intersection(curves.ids.tolist())
    if again or len(curves) != 1 + int((ids[1:] != ids[:-1]).sum()):
        named = f" ({min(again)})" if again else ""
        raise LightCurveError(
            f"The rows of a light curve must lie together. In {path} those of one do not{named}. "
            f"Sort the table by {name}."
        )
    seen.update(curves.ids.tolist())
    return curves
