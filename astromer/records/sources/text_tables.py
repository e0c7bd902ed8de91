"""Tables of text: CSV and its kin, delimited by commas, semicolons, tabs or blanks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from astromer.records.framing import DAMAGED, check_growth, unpacked
from astromer.records.sources.names import MAG, TIME, first_of
from astromer.system.errors import DataAnomalyError, RecordError
from astromer.system.text import brief

_BLOCK_BYTES = 1 << 22
_HEAD_BYTES = 1 << 16
MOST_LINE_BYTES = 1 << 20
"""1 MiB: of one line. Those of surveys have a hundred bytes, with many columns some thousands."""
MOST_TABLE_BYTES = 1 << 30
"""1 GiB: of a metadata table, unpacked. That is a hundred bytes for ten million light curves."""
_BLANKS = b""
_POSITIONAL = ("mjd", "mag", "errmag")
MISSING = (
    *("", "nan", "NaN", "NAN", "null", "NULL", "None", "none", "NA", "N/A", "n/a"),
    *("-", "--", "---", "*", "INDEF", "masked"),
)
"""Cells that stand for no value."""


@dataclass(frozen=True)
class TextTable:
    """A text file with one row per line.

    Attributes:
        path: the file, plain or gzip.
        names: of the columns, from the header, from a comment above the data, or as given;
            none where there are no rows.
        delimiter: one byte, or empty for blanks.
        skip: bytes of the file before the first row.
    """

    path: Path
    names: tuple[str, ...]
    delimiter: bytes
    skip: int

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str]
    ) -> Iterator[Callable[[], pa.Table]]:
        """Reads some columns, a few megabytes at a time.

        Args:
            numbers: columns to be float64, null where a cell is missing.
            texts: columns to be strings.

        Yields:
            What parses the next block; may be called in any thread.

        Raises:
            RecordError: the file is damaged, or a row has another number of cells or a number
                that is none; the message names the line.
        """
        types = {n: pa.float64() for n in numbers} | {n: pa.string() for n in texts}
        for first_line, data in _read_blocks(self.path, self.skip):
            yield _Block(self, data, first_line, types)

    def read(self, texts: Sequence[str]) -> pa.Table:
        """The whole table; columns other than ``texts`` get the type that their cells have."""
        parts, total = [], 0
        for _, part in _read_blocks(self.path, self.skip):
            parts.append(part)
            total += len(part)
            if total > MOST_TABLE_BYTES:
                raise RecordError(
                    f"{self.path} is read as a whole and must have at most {MOST_TABLE_BYTES:,} "
                    "bytes. Received: more. Give the metadata as Parquet, with fewer columns."
                )
        data = b"".join(parts)
        block = _Block(self, data, 1 + _lines_before(self.path, self.skip), {})
        return block.parse({name: pa.string() for name in texts}, list(self.names))


@dataclass(frozen=True)
class _Block:
    table: TextTable
    data: bytes
    first_line: int
    types: dict[str, pa.DataType]

    def __call__(self) -> pa.Table:
        return self.parse(self.types, list(self.types))

    def parse(self, types: dict[str, pa.DataType], wanted: list[str]) -> pa.Table:
        data = _simplify(self.data, self.table.delimiter)
        if not data.strip():
            return pa.table({n: pa.array([], types.get(n, pa.string())) for n in wanted})
        blanks = self.table.delimiter == _BLANKS
        try:
            return csv.read_csv(
                pa.BufferReader(data),
                csv.ReadOptions(
                    column_names=self.table.names, use_threads=False, block_size=len(data) + 1
                ),
                csv.ParseOptions(
                    delimiter=" " if blanks else self.table.delimiter.decode(),
                    quote_char=False if blanks else '"',
                ),
                csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=types,
                    null_values=MISSING,
                    strings_can_be_null=True,
                ),
            )
        except pa.ArrowException as error:
            self._explain(types)
            raise RecordError(
                f"{self.table.path} cannot be read as a table: {brief(error)}."
            ) from None

    def _explain(self, types: dict[str, pa.DataType]) -> None:
        """Names the line; slow."""
        names = self.table.names
        numeric = [i for i, n in enumerate(names) if types.get(n) == pa.float64()]
        for number, line in enumerate(self.data.splitlines(), self.first_line):
            if not line.strip() or line.lstrip().startswith(b"#"):
                continue
            location = f"{self.table.path}, line {number}"
            try:
                cells = _cells(line, self.table.delimiter)
            except UnicodeDecodeError:
                raise RecordError(f"{location} is not text in UTF-8. Convert the file.") from None
            if len(cells) != len(names):
                raise RecordError(
                    f"{location} has {len(cells)} cell(s) where {len(names)} are expected "
                    f"({', '.join(names)}). Is it cut off? Correct or remove the line."
                )
            for i in numeric:
                if not _is_number(cells[i]) and cells[i] not in MISSING:
                    raise RecordError(
                        f"{location}: {names[i]} must be a number, got {cells[i][:40]!r}. Correct "
                        "the cell, or leave it empty where there is no value."
                    )


def open_text(path: Path, columns: Sequence[str] = ()) -> TextTable:
    """Finds out how a text file is written.

    A first line without any number is a header. Without one, the names are those of a comment
    just above the data (``# mjd mag err``) if it names a time and a magnitude, then
    ``columns``, then mjd, mag and errmag.

    Raises:
        RecordError: the file cannot be read, or is no text.
        DataAnomalyError: it has no header, and the number of columns is not what was stated.
    """
    head = next(_read_blocks(path, 0, _HEAD_BYTES), (1, b""))[1]
    if b"\0" in head:
        raise RecordError(f"{path} is not a text file (it has zero bytes). Copy it again.")
    skip, comment, line = 0, b"", b""
    for line in head.splitlines(keepends=True):
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if text and not text.startswith(b"#"):
            break
        comment = text.lstrip(b"# ") or comment
        skip += len(line)
    else:
        return TextTable(path, (), b",", skip)
    delimiter = next((d for d in (b";", b",", b"\t") if d in line), _BLANKS)
    try:
        cells = _cells(line.removeprefix(b"\xef\xbb\xbf"), delimiter)
        above = _cells(comment, next((d for d in (b";", b",", b"\t") if d in comment), _BLANKS))
    except UnicodeDecodeError:
        raise RecordError(f"{path} is not text in UTF-8. Convert the file.") from None
    if not any(map(_is_number, cells)):
        return TextTable(path, _unique(cells), delimiter, skip + len(line))
    if len(above) == len(cells) and first_of(above, TIME) and first_of(above, MAG):
        return TextTable(path, _unique(above), delimiter, skip)
    names = tuple(columns) or _POSITIONAL[: len(cells)]
    if len(names) > len(cells) or len(cells) < 2:
        raise DataAnomalyError(
            f"{path} has no header and {len(cells)} column(s) where {', '.join(names)} are "
            "expected. Name its columns, in their order, with --columns or in config.toml."
        )
    return TextTable(path, _unique([*names, *[""] * (len(cells) - len(names))]), delimiter, skip)


def _cells(line: bytes, delimiter: bytes) -> list[str]:
    cells = line.strip(b"\r\n").split(delimiter) if delimiter else line.split()
    return [cell.decode().strip().strip('"').strip() for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.lower() != "nan"


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Every name once: a nameless or repeated column gets its number."""
    seen: set[str] = set()
    unique = []
    for number, name in enumerate(names):
        unique.append(f"{name or 'column'}_{number}" if not name or name in seen else name)
        seen.add(name)
    return tuple(unique)


def _simplify(data: bytes, delimiter: bytes) -> bytes:
    """Takes out what Arrow's reader does not know: comments, and blanks as they come."""
    data = data.replace(b"\r\n", b"\n")
    if b"#" in data:
        data = re.sub(rb"(?m)^[ \t]*#.*\n?", b"", data)
    if delimiter != b"\t":
        data = data.replace(b"\t", b" ")
    if b" " not in data:
        return data
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    if delimiter:
        data = data.replace(b" " + delimiter, delimiter).replace(delimiter + b" ", delimiter)
    return data.replace(b"\n ", b"\n").replace(b" \n", b"\n").strip(b" ")


def _read_blocks(path: Path, skip: int, size: int = 0) -> Iterator[tuple[int, bytes]]:
    """Whole lines, with the number of the first one, counted from 1."""
    size, newline = size or _BLOCK_BYTES, b"\n"
    try:
        with path.open("rb") as raw:
            stream, packed = unpacked(raw)
            line, position = 1 + stream.read(skip).count(b"\n"), skip
            while data := stream.read(size):
                data += stream.readline(MOST_LINE_BYTES)
                if len(data) >= size + MOST_LINE_BYTES and not data.endswith(b"\n"):
                    raise RecordError(
                        f"{path} must have lines of at most {MOST_LINE_BYTES:,} bytes. Received: a "
                        f"longer one after line {line + data.count(newline) - 1}. Is it a table?"
                    )
                position += len(data)
                if packed:
                    check_growth(path, raw.tell(), position)
                yield line, data
                line += data.count(newline)
    except DAMAGED:
        raise RecordError(f"{path} is a damaged gzip file. Copy it again.") from None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}. Copy it again.") from None


def _lines_before(path: Path, skip: int) -> int:
    with path.open("rb") as raw:
        return unpacked(raw)[0].read(skip).count(b"\n")
