"""Tables of text: CSV and its kin, delimited by commas, semicolons, tabs, bars or blanks."""

from __future__ import annotations

import csv as plain_csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from astromer.records.framing import GZIP_ERRORS, check_growth, unpacked
from astromer.records.sources.astropy_tables import CDS, ECSV, IPAC, open_with_astropy
from astromer.records.sources.tables import Table, numbers_of_texts
from astromer.records.survey_profile import first_of, known_names, time_column
from astromer.system.errors import DataAnomalyError, RecordError
from astromer.system.text import brief

_BLOCK_BYTES = 1 << 22
_HEAD_BYTES = 1 << 16
MOST_LINE_BYTES = 1 << 20
"""1 MiB: of one line. Those of surveys have a hundred bytes, with many columns some thousands."""
MOST_TABLE_BYTES = 1 << 30
"""1 GiB: of a metadata table, unpacked. That is a hundred bytes for ten million light curves."""
MOST_COMMENT_LINES = 1 << 20
"""Above the data. Headers of archives have some hundreds."""
_KEPT_COMMENTS = 100
_COMMENTS_OF_NAMES = 4
"""The last ones, one of which may name the columns: units, dashes or a remark may follow it."""
_LINES_AFTER = 4
"""Looked at below a header: units, dashes and a row."""
_BLANKS = b""
_DELIMITERS = (b";", b",", b"\t", b"|")
_POSITIONAL = ("mjd", "mag", "errmag")
MISSING = (
    *("", "nan", "NaN", "NAN", "null", "NULL", "None", "none", "NA", "N/A", "n/a", "na"),
    *("-", "--", "---", "*", "...", "INDEF", "masked", "<NA>", "#N/A", "\\N", "Null", "Nan"),
)
"""Cells that stand for no value."""
_DATE = re.compile(r"\d{1,4}[-/.:]\d{1,2}[-/.:]\d")
"""2019-01-30T12:00:00, 30.1.2019, 12:00:01."""
_FORTRAN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[dD][-+]?\d+")
"""A number in double precision as Fortran writes it: 1.5D+01."""
_ARCHIVE_STARTS = (b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")
"""How files of bzip2, xz, zstd and 7z begin."""
_BOM = b"\xef\xbb\xbf"
_WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class TextTable:
    """A text file with one row per line.

    Attributes:
        path: the file, plain, gzip or zip.
        names: of the columns, from the header, from a comment above the data, or as given;
            none where there are no rows.
        delimiter: one byte, or empty for blanks.
        skip: bytes of the text before the first row.
        has_header: whether the file names its columns.
        decimal_comma: numbers are written 0,5.
        comments: the last ones above the data.
        numeric: columns whose first cell is a number.
    """

    path: Path
    names: tuple[str, ...]
    delimiter: bytes
    skip: int
    has_header: bool = True
    decimal_comma: bool = False
    comments: tuple[str, ...] = ()
    numeric: frozenset[str] = frozenset()

    units: ClassVar[Mapping[str, str]] = {}
    header: ClassVar[Mapping[str, Any]] = {}

    def holds_numbers(self, name: str) -> bool:
        """Whether the column's first cell is a number."""
        return name in self.numeric

    def is_single(self, name: str) -> bool:
        """Text has as many digits as it has."""
        return False

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str], marks: Sequence[str] = ()
    ) -> Iterator[Callable[[], pa.Table]]:
        """Reads some columns, a few megabytes at a time.

        Args:
            numbers: columns to be float64, null where a cell is missing.
            texts: columns to be strings.
            marks: what the cell of an upper limit begins with, which becomes infinite.

        Yields:
            What parses the next block; may be called in any thread.

        Raises:
            RecordError: the file is damaged, or a row has another number of cells or a number
                that is none; the message names the line.
        """
        types = {n: pa.float64() for n in numbers} | {n: pa.string() for n in texts}
        for start, data in _read_blocks(self.path, self.skip):
            yield _Block(self, data, start, types, tuple(marks))

    def read(self, texts: Sequence[str], wanted: Sequence[str] | None = None) -> pa.Table:
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
        block = _Block(self, data, self.skip, {})
        return block.parse({name: pa.string() for name in texts}, list(wanted or self.names))


@dataclass(frozen=True)
class _Block:
    table: TextTable
    data: bytes
    start: int
    types: dict[str, pa.DataType]
    marks: tuple[str, ...] = ()

    def __call__(self) -> pa.Table:
        return self.parse(self.types, list(self.types))

    def parse(self, types: dict[str, pa.DataType], wanted: list[str]) -> pa.Table:
        data = _simplify(_as_utf8(self.data), self.table.delimiter)
        if not data.strip():
            return pa.table({n: pa.array([], types.get(n, pa.string())) for n in wanted})
        try:
            return self._read(data, types, wanted)
        except pa.ArrowException as error:
            reason = brief(error)
            as_texts = {n: pa.string() if t == pa.float64() else t for n, t in types.items()}
            with suppress(pa.ArrowException):
                return self._from_texts(self._read(data, as_texts, wanted), types)
        self._explain(types)
        raise RecordError(f"{self.table.path} cannot be read as a table: {reason}.")

    def _read(self, data: bytes, types: dict[str, pa.DataType], wanted: list[str]) -> pa.Table:
        blanks = self.table.delimiter == _BLANKS
        return csv.read_csv(
            pa.BufferReader(data),
            csv.ReadOptions(
                column_names=self.table.names, use_threads=False, block_size=len(data) + 1
            ),
            csv.ParseOptions(
                delimiter=" " if blanks else self.table.delimiter.decode(),
                quote_char='"' if not blanks or _QUOTED_WORD.search(data) else False,
                newlines_in_values=not blanks and b'"' in data,
            ),
            csv.ConvertOptions(
                include_columns=wanted,
                column_types=types,
                null_values=MISSING,
                strings_can_be_null=True,
                decimal_point="," if self.table.decimal_comma else ".",
            ),
        )

    def _from_texts(self, table: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
        """Numbers as Arrow does not read them: upper limits, +1.5 and Fortran's 1.5D+01."""
        for position, name in enumerate(table.column_names):
            if types.get(name) == pa.float64():
                texts = table.column(name)
                if self.table.decimal_comma:
                    texts = pc.replace_substring(texts, ",", ".")
                texts = pc.replace_substring_regex(texts, r"^\s*\+", "")
                texts = pc.replace_substring_regex(texts, r"^([-.\d]+)[dD]([-+]?\d+)$", r"\1e\2")
                numbers = numbers_of_texts(texts, self.marks)
                table = table.set_column(position, name, numbers)
        return table

    def _explain(self, types: dict[str, pa.DataType]) -> None:
        """Names the line; slow."""
        names = self.table.names
        numeric = [i for i, n in enumerate(names) if types.get(n) == pa.float64()]
        first = _line_at(self.table.path, self.start)
        for number, line in _rows(_as_utf8(self.data), first):
            if not line.strip() or line.lstrip().startswith(b"#"):
                continue
            location = f"{self.table.path}, line {number}"
            cells = _cells(line, self.table.delimiter)
            if numeric and cells == list(names):
                raise RecordError(
                    f"{location} must have numbers. Received: the names of the columns once more. "
                    "Remove the line."
                )
            if len(cells) != len(names):
                doubt = "Is it cut off?"
                if len(cells) > len(names):
                    doubt = "Texts that hold the delimiter must be in quotation marks."
                raise RecordError(
                    f"{location} has {len(cells)} cell(s) where {len(names)} are expected "
                    f"({', '.join(names)}). {doubt} Correct or remove the line."
                )
            for i in numeric:
                cell = cells[i].replace(",", ".") if self.table.decimal_comma else cells[i]
                if not _is_number(cell) and cells[i] not in MISSING:
                    if self.marks and cells[i].startswith(self.marks):
                        continue
                    limit = cells[i][:1] in "<>" and cells[i][1:2].isdigit()
                    way_out = " Correct the cell, or leave it empty where there is no value."
                    if limit:
                        way_out = (
                            " Is it an upper limit? A profile with [sentinels] limit_marks leaves "
                            "such rows out (docs/surveys.md)."
                        )
                    elif _DATE.match(cells[i]):
                        way_out = " Write dates and times of day as MJD."
                    raise RecordError(
                        f"{location}: {names[i]} must be a number, got {cells[i][:40]!r}.{way_out}"
                    )


def _rows(data: bytes, line: int) -> Iterator[tuple[int, bytes]]:
    """Rows and the number of the first line of each; a quoted cell may have several lines."""
    held, first = b"", line
    for number, text in enumerate(data.splitlines(), line):
        held, first = (held + b"\n" + text, first) if held else (text, number)
        if held.count(b'"') % 2 == 0:
            yield first, held
            held = b""
    if held:
        yield first, held


def _as_utf8(data: bytes) -> bytes:
    """Latin-1 where it is no UTF-8; every byte is a character of Latin-1."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1").encode()
    return data


def open_text(path: Path, columns: Sequence[Sequence[str]] = ()) -> Table:
    """Finds out how a text file is written.

    A first line without any number is a header. Without one, the names are those of one of the
    last comments above the data (``# mjd mag err``, below which may be units or a line) if it
    names a time and a magnitude, then ``columns``, then mjd, mag and errmag.

    Args:
        path: the file.
        columns: lists of names; the first that is as long as a line counts, then the first that
            is shorter.

    Raises:
        RecordError: the file cannot be read, or is no text.
        DataAnomalyError: it has no header, and the number of columns is not what was stated.
    """
    skip, comments, line, after = _head(path)
    other = _other_format(comments, line)
    if other is not None:
        return open_with_astropy(path, other)
    if not line:
        return TextTable(path, (), b",", skip)
    text = line.removeprefix(_BOM).decode()
    delimiter = _delimiter(text)
    cells = _cells(line.removeprefix(_BOM), delimiter)
    if not any(map(_is_number, cells)) and not any(_is_decimal_comma(c) for c in cells):
        units = _units_below(after) or _row_of_units(after, delimiter, len(cells))
        skip += len(line) + units
        rows = [row for row in after if row.strip() and row[:1] != b"#"]
        sample = next((row for row in rows if any(map(_is_number, _cells(row, delimiter)))), b"")
        sample = sample or next(iter(rows), b"")
        return _text_table(path, cells, delimiter, skip, True, sample, comments)
    for comment in reversed(comments[-_COMMENTS_OF_NAMES:]):
        words = comment.lstrip("# \t")
        above = _cells(words.encode(), _delimiter(words))
        if len(above) == len(cells) and _names_columns(above):
            return _text_table(path, above, delimiter, skip, True, line, comments)
    exact = next((own for own in columns if len(own) == len(cells)), None)
    shorter = next((own for own in columns if len(own) < len(cells)), None)
    names = tuple(exact or shorter or (columns[0] if columns else _POSITIONAL[: len(cells)]))
    if len(names) > len(cells) or len(cells) < 2:
        raise DataAnomalyError(
            f"{path} has no header and {len(cells)} column(s) where {', '.join(names)} are "
            "expected. Name its columns, in their order, with --columns or in config.toml."
        )
    full = [*names, *[""] * (len(cells) - len(names))]
    return _text_table(path, full, delimiter, skip, False, line, comments)


def _text_table(
    path: Path,
    names: Sequence[str],
    delimiter: bytes,
    skip: int,
    has_header: bool,
    sample: bytes,
    comments: list[str],
) -> TextTable:
    names, cells = _unique(names), _cells(sample, delimiter)
    comma = delimiter != b"," and any(map(_is_decimal_comma, cells))
    numeric = frozenset(
        name for name, cell in zip(names, cells) if _is_number(cell) or _is_decimal_comma(cell)
    )
    kept = tuple(comments[-_KEPT_COMMENTS:])
    return TextTable(path, names, delimiter, skip, has_header, comma, kept, numeric)


def _head(path: Path) -> tuple[int, list[str], bytes, list[bytes]]:
    """Bytes before the first line that is no comment, comments, that line, and lines after it."""
    skip = 0
    comments: list[str] = []
    with _text_stream(path) as (stream, _):
        for _ in range(MOST_COMMENT_LINES):
            line = stream.readline(MOST_LINE_BYTES + 1)
            if not skip and line.startswith(_ARCHIVE_STARTS):
                raise RecordError(
                    f"{path} must be text, plain, gzip or zip. Received: another archive. Unpack "
                    "it first."
                )
            if b"\0" in line:
                raise RecordError(f"{path} is not a text file (it has zero bytes). Copy it again.")
            if len(line) > MOST_LINE_BYTES:
                raise _too_long(path, len(comments))
            text = line.removeprefix(_BOM).strip()
            if text and not text.startswith(b"#"):
                after = [stream.readline(MOST_LINE_BYTES + 1) for _ in range(_LINES_AFTER)]
                if max(map(len, after)) > MOST_LINE_BYTES:
                    raise _too_long(path, len(comments) + 1)
                return skip, comments, _as_utf8(line), list(map(_as_utf8, after))
            if not line:
                return skip, comments, b"", []
            skip += len(line)
            if text:
                comments.append(_as_utf8(text).decode())
    raise RecordError(
        f"{path} must have data after at most {MOST_COMMENT_LINES:,} lines of comments. Received: "
        "more. Is it a table?"
    )


def _other_format(comments: list[str], line: bytes) -> str | None:
    """astropy's name of a format that is more than lines of cells."""
    if any(text.startswith("# %ECSV") for text in comments[:5]):
        return ECSV
    start = line.removeprefix(_BOM).lstrip()
    if start.startswith((b"\\", b"|")) and (start.startswith(b"\\") or line.count(b"|") > 2):
        return IPAC
    if start.startswith((b"Title:", b"Byte-by-byte")):
        return CDS
    return None


def _delimiter(line: str) -> bytes:
    """Of cells; what is quoted does not count, and a tab counts before a decimal comma."""
    bare = re.sub(r'"[^"]*"', "", line)
    if "\t" in bare and ",\t" not in bare and ", \t" not in bare and ";" not in bare:
        return b"\t"
    return next((d for d in _DELIMITERS if d.decode() in bare), _BLANKS)


def _names_columns(names: list[str]) -> bool:
    """Whether the words of a comment are names of columns."""
    times, values = known_names()
    time = None if any(map(_is_number, names)) else time_column(names, times)
    # A time that is not the first is not where it is looked for without names.
    return time is not None and (time != names[0] or first_of(names, values) is not None)


def _units_below(after: list[bytes]) -> int:
    """Bytes of the lines of units and dashes under a header (VizieR)."""
    rules = [re.fullmatch(rb"[-=+|;,\s]*-{2}[-=+|;,\s]*", row) is not None for row in after[:2]]
    if not any(rules):
        return 0
    return sum(len(row) for row in after[: rules.index(True) + 1])


def _row_of_units(after: list[bytes], delimiter: bytes, columns: int) -> int:
    """Bytes of a row below a header with words where the next row has numbers, and nowhere else."""
    first, second = (_cells(row, delimiter) for row in [*after, b"", b""][:2])
    if len(first) != columns or len(second) != columns:
        return 0
    words = 0
    for cell, below in zip(first, second, strict=True):
        if _is_number(cell) or _is_decimal_comma(cell):
            return 0
        if cell not in MISSING:
            if not (_is_number(below) or _is_decimal_comma(below)):
                return 0
            words += 1
    return len(after[0]) if words >= 2 else 0


def _is_decimal_comma(cell: str) -> bool:
    return re.fullmatch(r"[+-]?\d+,\d+([eE][+-]?\d+)?", cell) is not None


def _cells(line: bytes, delimiter: bytes) -> list[str]:
    text = _as_utf8(line).decode().strip("\r\n")
    if not delimiter:
        if '"' not in text:
            return text.split()
        words = text.replace("\t", " ").strip()
        return next(plain_csv.reader([words], delimiter=" ", skipinitialspace=True))
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter.decode())]
    rows = list(plain_csv.reader(io.StringIO(text), delimiter=delimiter.decode()))
    return [cell.strip() for row in rows for cell in row]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return _FORTRAN.fullmatch(cell) is not None
    return cell.lower() != "nan"


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Every name once: a nameless or repeated column gets its number."""
    seen: set[str] = set()
    unique = []
    for number, name in enumerate(names):
        unique.append(f"{name or 'column'}_{number}" if not name or name in seen else name)
        seen.add(name)
    return tuple(unique)


_QUOTED = re.compile(rb'"[^"]*"')
_QUOTED_WORD = re.compile(rb'(?m)(?:^|(?<=[ \t]))"[^"\n]*"(?=[ \t\r\n]|$)')
"""A whole cell between quotation marks, where blanks delimit: not the seconds of 12'30"."""


def _simplify(data: bytes, delimiter: bytes) -> bytes:
    """Takes out what Arrow's reader does not know: comments, and blanks as they come."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if b"#" in data:
        data = re.sub(rb"(?m)^[ \t]*#.*\n?", b"", data)
    if delimiter != b"\t" and b"\t" in data:
        data = data.replace(b"\t", b" ")
    if b" " not in data:
        return data
    if delimiter and b'"' in data:
        # What is quoted stays as it is.
        pattern = _QUOTED.pattern + rb"| *(?:" + re.escape(delimiter) + rb"|\n) *"
        found = re.compile(pattern)
        return found.sub(lambda m: m[0] if m[0][:1] == b'"' else m[0].strip(b" "), data).strip(b" ")
    if not delimiter and b'"' in data:
        blanks = re.compile(_QUOTED_WORD.pattern + rb"|  +")
        data = blanks.sub(lambda m: m[0] if m[0][:1] == b'"' else b" ", data)
    elif not delimiter:
        while b"  " in data:
            data = data.replace(b"  ", b" ")
    for mark in (delimiter, b"\n") if delimiter else (b"\n",):
        for loose in (b" " + mark, mark + b" "):
            while loose in data:
                data = data.replace(loose, mark)
    return data.strip(b" ")


def _read_blocks(path: Path, skip: int) -> Iterator[tuple[int, bytes]]:
    """Whole rows, with the bytes of the text before them."""
    with _text_stream(path) as (stream, raw):
        position = len(stream.read(skip))
        while data := stream.read(_BLOCK_BYTES):
            data += stream.readline(MOST_LINE_BYTES)
            if len(data) >= _BLOCK_BYTES + MOST_LINE_BYTES and not data.endswith(b"\n"):
                raise _too_long(path, _line_at(path, position) + data.count(b"\n") - 1)
            quoted = b'"' in data
            while quoted and data.count(b'"') % 2:
                more = stream.readline(MOST_LINE_BYTES)
                data += more  # a quoted cell ends in another line
                if not more or len(data) >= _BLOCK_BYTES + 2 * MOST_LINE_BYTES:
                    break
            start, position = position, position + len(data)
            if raw is not None:
                check_growth(path, raw.tell(), position)
            yield start, data


def _too_long(path: Path, line: int) -> RecordError:
    return RecordError(
        f"{path} must have lines of at most {MOST_LINE_BYTES:,} bytes. Received: a longer one "
        f"after line {line}. Is it a table?"
    )


@contextmanager
def _text_stream(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes] | None]]:
    """A text as UTF-8 or Latin-1 with \\n at line ends, and the packed file where it is packed."""
    try:
        with path.open("rb") as raw:
            if raw.read(4) == b"PK\3\4":
                with zipfile.ZipFile(raw) as archive, archive.open(_member(archive, path)) as one:
                    yield _as_lines(one), raw if archive.fp is None else archive.fp
                return
            raw.seek(0)
            stream, packed = unpacked(raw)
            yield _as_lines(stream), raw if packed else None
    except (*GZIP_ERRORS, zipfile.BadZipFile, RuntimeError) as error:
        kind = "zip" if isinstance(error, (zipfile.BadZipFile, RuntimeError)) else "gzip"
        raise RecordError(f"{path} is a damaged {kind} file. Copy it again.") from None
    except UnicodeError as error:
        raise RecordError(f"{path} is not text in UTF-16: {brief(error)}. Convert it.") from None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}. Copy it again.") from None


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """The one file of an archive."""
    members = [
        m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX")
    ]
    if len(members) != 1:
        raise RecordError(
            f"{path} must hold one table. Received: {len(members)} files. Unpack it into a folder "
            "and give that as --data."
        )
    return members[0]


def _as_lines(stream: IO[bytes]) -> IO[bytes]:
    """The stream, or what translates UTF-16 and lines that end in CR alone as it is read."""
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    encoding = _WIDE.get(head[:2])
    if encoding is None and not (b"\r" in head and b"\n" not in head):
        return stream
    text = io.TextIOWrapper(stream, encoding or "latin-1", newline=None)
    return io.BufferedReader(_Recoded(text, "utf-8" if encoding else "latin-1"), _HEAD_BYTES)


class _Recoded(io.RawIOBase):
    """Bytes of a text in another encoding."""

    def __init__(self, text: io.TextIOWrapper, encoding: str) -> None:
        self._text, self._encoding = text, encoding

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._text.read(len(buffer) // 4).encode(self._encoding)
        buffer[: len(data)] = data
        return len(data)


def _line_at(path: Path, position: int) -> int:
    """Number of the line, counted from 1, that begins after so many bytes of the text."""
    line = 1
    with _text_stream(path) as (stream, _):
        while position and (data := stream.read(min(position, _BLOCK_BYTES))):
            line, position = line + data.count(b"\n"), position - len(data)
    return line
