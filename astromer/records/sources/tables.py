"""Tables of any kind, read alike."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, ClassVar, NoReturn, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from astromer.records.sources.names import FITS, PARQUET, TEXT, VOTABLE, kind_of
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


def require_columns(path: Path, there: Sequence[str], names: Sequence[str]) -> None:
    """Raises DataAnomalyError where a table lacks a column."""
    missing = [name for name in names if name not in there]
    if missing:
        raise DataAnomalyError(
            f"{path} lacks the column(s) {', '.join(missing)}; it has {', '.join(there)}. "
            "Name the columns in config.toml if they are called differently."
        )


_ROWS = 1 << 18
_LIST_ROWS = 1 << 10
"""Rows read at a time where each holds a light curve."""
_MOST_EXACT = 1 << 53
"""Whole numbers up to this are exact in float64."""


class Table(Protocol):
    """A file with one row per line, observation or object."""

    @property
    def path(self) -> Path: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def units(self) -> Mapping[str, str]: ...

    @property
    def header(self) -> Mapping[str, Any]: ...

    @property
    def comments(self) -> Sequence[str]: ...

    def holds_numbers(self, name: str) -> bool:
        """Whether a column is known to hold nothing but numbers."""
        ...

    def is_single(self, name: str) -> bool:
        """Whether a column is of single precision."""
        ...

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str], marks: Sequence[str] = ()
    ) -> Iterator[Callable[[], pa.Table]]:
        """Some columns, as float64 and strings; what is yielded may be called in any thread.

        Cells of columns of numbers that begin with one of ``marks`` are infinite.
        """
        ...

    def read(self, texts: Sequence[str], wanted: Sequence[str] | None = None) -> pa.Table:
        """The whole table, or the columns that are wanted, with some columns as strings."""
        ...


@dataclass(frozen=True)
class _Leaf:
    """A column, or a field of one that is a structure.

    Attributes:
        root: the column in the file.
        field: of the structure, or "".
        type: of one value.
        many: whether a row holds a list of values.
    """

    root: str
    field: str
    type: pa.DataType
    many: bool


def _leaves(schema: pa.Schema) -> dict[str, _Leaf]:
    """Columns by name; fields of structures stand for their column (HATS, nested-pandas)."""
    leaves: dict[str, _Leaf] = {}
    for column in schema:
        kind, many = column.type, False
        if _is_list(kind):
            kind, many = kind.value_type, True
        if not pa.types.is_struct(kind):
            leaves[column.name] = _Leaf(column.name, "", kind, many)
            continue
        # Fields of a later structure that names some as an earlier one does are other observations.
        taken = {*schema.names, *leaves}
        apart = any(own.name in leaves and leaves[own.name].field for own in kind)
        for own in kind:
            inner, inner_many = own.type, many
            if _is_list(inner) and not many:
                inner, inner_many = inner.value_type, True
            name = f"{column.name}.{own.name}" if apart or own.name in taken else own.name
            leaves[name] = _Leaf(column.name, own.name, inner, inner_many)
    return leaves


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file; lists in its columns are rows of their own.

    Attributes:
        path: the file.
        names: of columns, and of fields of structures.
        leaves: what they are.
    """

    path: Path
    names: tuple[str, ...]
    leaves: Mapping[str, _Leaf]

    units: ClassVar[Mapping[str, str]] = {}
    header: ClassVar[Mapping[str, Any]] = {}
    comments: ClassVar[Sequence[str]] = ()

    def holds_numbers(self, name: str) -> bool:
        """Whether a column is of another type than text."""
        kind = self.leaves[name].type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        return not (pa.types.is_string(kind) or pa.types.is_large_string(kind))

    def is_single(self, name: str) -> bool:
        """Whether a column is of single precision."""
        return bool(pa.types.is_float32(self.leaves[name].type))

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str], marks: Sequence[str] = ()
    ) -> Iterator[Callable[[], pa.Table]]:
        """Reads some columns, a bounded number of rows at a time.

        Raises:
            RecordError: the file is damaged.
            DataAnomalyError: a column does not hold what it must.
        """
        types = {n: pa.float64() for n in numbers} | {n: pa.string() for n in texts}
        nested = any(self.leaves[name].many or self.leaves[name].field for name in types)
        roots = list(dict.fromkeys(self.leaves[name].root for name in types))
        size = _LIST_ROWS if nested else _ROWS
        try:
            for batch in open_parquet(self.path).iter_batches(batch_size=size, columns=roots):
                check_values(batch)
                block = pa.Table.from_batches([batch])
                if nested:
                    block = self._unnested(block, list(types))
                yield partial(self._cast, block.select(list(types)), types, tuple(marks))
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"{self.path} is damaged: {brief(error)}. Copy it again.") from None

    def _unnested(self, block: pa.Table, names: list[str]) -> pa.Table:
        """One row for each value of the lists."""
        flat: dict[str, pa.Array] = {}
        owner, first = None, ""
        for name in names:
            leaf = self.leaves[name]
            column = block.column(leaf.root).combine_chunks()
            if isinstance(column, pa.ChunkedArray):
                column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
            if leaf.field and pa.types.is_struct(column.type):
                column = pc.struct_field(column, [column.type.get_field_index(leaf.field)])
            if leaf.many:
                rows = pc.list_parent_indices(column)
                if owner is None:
                    owner, first = rows, name
                elif not rows.equals(owner):
                    raise DataAnomalyError(
                        f"{self.path}: the lists of a row must be equally long. Received: those "
                        f"of {first} and {name} are not."
                    )
                column = pc.list_flatten(column)
                if pa.types.is_struct(column.type):
                    column = pc.struct_field(column, [column.type.get_field_index(leaf.field)])
            flat[name] = column
        for name in names:
            if not self.leaves[name].many and owner is not None:
                flat[name] = flat[name].take(owner)
        return pa.table(flat)

    def read(self, texts: Sequence[str], wanted: Sequence[str] | None = None) -> pa.Table:
        """The whole table; columns other than ``texts`` keep their type."""
        try:
            file = open_parquet(self.path)
            check_row_count(self.path, file)
            table = file.read(columns=None if wanted is None else list(wanted))
            table = table if wanted is None else table.select(list(wanted))
            check_values(table)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"{self.path} is damaged: {brief(error)}. Copy it again.") from None
        return self._cast(table, {name: pa.string() for name in texts})

    def _cast(
        self, table: pa.Table, types: dict[str, pa.DataType], marks: tuple[str, ...] = ()
    ) -> pa.Table:
        for position, name in enumerate(table.column_names):
            column = table.column(name)
            wanted = types.get(name, column.type)
            if column.type == wanted:
                continue
            try:
                if wanted == pa.string():
                    cast = as_text(column)
                elif wanted == pa.float64() and pa.types.is_string(column.type):
                    if marks:
                        table = table.set_column(position, name, numbers_of_texts(column, marks))
                        continue
                    raise pa.ArrowInvalid("text where numbers are expected")
                elif wanted == pa.float64() and pa.types.is_boolean(column.type):
                    cast = column.cast(pa.int8()).cast(wanted)
                else:
                    cast = column.cast(wanted, safe=not pa.types.is_integer(column.type))
                table = table.set_column(position, name, cast)
            except pa.ArrowException as error:
                is_time = pa.types.is_temporal(column.type)
                values = "times as MJD" if is_time else "numbers"
                values = "such values" if wanted == pa.string() else values
                raise DataAnomalyError(
                    f"{self.path}: the column {name} cannot be read as {wanted} ({brief(error)}). "
                    f"Write {values}."
                ) from None
        return table


def numbers_of_texts(
    column: pa.ChunkedArray | pa.Array, marks: Sequence[str]
) -> pa.ChunkedArray | pa.Array:
    """float64; infinite where a text begins with a mark, null where it is empty.

    Raises:
        ArrowInvalid: a text is neither a number nor such a limit.
    """
    texts = pc.utf8_trim_whitespace(pc.fill_null(column, ""))
    is_limit = pc.equal(pc.utf8_length(texts), -1)
    for mark in marks:
        is_limit = pc.or_(is_limit, pc.starts_with(texts, mark))
    nothing = pc.or_(is_limit, pc.equal(texts, ""))
    numbers = pc.if_else(nothing, pa.scalar(None, pa.string()), texts).cast(pa.float64())
    return pc.if_else(is_limit, pa.scalar(float("inf")), numbers)


def as_text(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Names as text: whole numbers without a point, whatever their type.

    Raises:
        ArrowInvalid: they are floating-point numbers that cannot be names: digits are lost.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
        known = column.filter(pc.is_finite(pc.fill_null(column, float("nan"))))
        whole = pc.equal(known, pc.floor(known))
        if not pc.all(whole).as_py() and len(known):
            return column.cast(pa.string())
        if len(known) and pc.max(pc.abs(known)).as_py() > _MOST_EXACT:
            raise pa.ArrowInvalid(
                "floating-point numbers of more than 16 digits, some of which are lost: write the "
                "ids as whole numbers or text"
            )
        is_nan = pc.is_nan(column)
        column = pc.if_else(is_nan, pa.scalar(None, pa.float64()), column).cast(pa.int64())
    return column.cast(pa.string())


def open_table(path: Path, columns: Sequence[Sequence[str]] = ()) -> Table:
    """Opens a table of any kind that is read.

    Args:
        path: the file; its suffix gives its kind.
        columns: names of the columns, for text files without a header; the first list that
            fits.

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
        leaves = _leaves(open_parquet(path).schema_arrow)
        return ParquetTable(path, tuple(leaves), leaves)
    if kind == VOTABLE:
        from astromer.records.sources.astropy_tables import VOTABLE_FORMAT, open_with_astropy

        return open_with_astropy(path, VOTABLE_FORMAT)
    if kind == TEXT:
        from astromer.records.sources.text_tables import open_text

        return open_text(path, columns)
    raise DataNotFoundError(f"{path} is no table: its name must end in .csv, .fits, .parquet, ...")
