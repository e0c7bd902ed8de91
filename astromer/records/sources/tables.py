"""Tables of any kind, read alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from astromer.records.parquet import check_values, check_whole, open_parquet
from astromer.records.sources.files import FITS, PARQUET, TEXT, kind_of
from astromer.system.errors import DataAnomalyError, DataNotFoundError, RecordError
from astromer.system.text import brief

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
            check_whole(self.path, file)
            table = file.read()
            check_values(table)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"{self.path} is damaged: {brief(error)}. Copy it again.") from None
        return self._cast(table, {name: pa.string() for name in texts})

    def _cast(self, table: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
        for place, name in enumerate(table.column_names):
            column = table.column(name)
            wanted = types.get(name, column.type)
            if column.type == wanted:
                continue
            try:
                if wanted == pa.float64() and pa.types.is_string(column.type):
                    raise pa.ArrowInvalid("text where numbers are expected")
                table = table.set_column(place, name, column.cast(wanted))
            except pa.ArrowException as error:
                raise DataAnomalyError(
                    f"{self.path}: the column {name} cannot be read as {wanted} ({brief(error)})."
                ) from None
        return table


def open_table(path: Path, columns: Sequence[str] = ()) -> Table:
    """Opens a text, FITS or Parquet table.

    Args:
        path: the file; its suffix tells its kind.
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
        from astromer.records.sources.text import open_text

        return open_text(path, columns)
    raise DataNotFoundError(f"{path} is no table: its name must end in .csv, .fits, .parquet, ...")
