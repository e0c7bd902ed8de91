"""FITS tables through astropy, with what Kepler's and TESS's light-curve files mean by theirs.

Headers and sizes are checked before astropy reads a file. astropy trusts them: a negative size
makes it read the same header for ever, a large one in a compressed file makes it allocate all of
it, and a file that is no FITS may be unpacked as zip. FITS Standard 4.0, section 4.4.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import pyarrow as pa

from astromer.records.cleaning import JD_TO_MJD
from astromer.records.framing import check_growth, unpacked
from astromer.records.sources.tables import as_text
from astromer.records.survey_profile import first_of
from astromer.system.environment import require
from astromer.system.errors import AstromerError, DataAnomalyError, RecordError
from astromer.system.text import brief, shortened

_BLOCK, _CARD = 2880, 80
MOST_HEADER_BLOCKS = 1024
"""Blocks of one header: 36,864 cards."""
MOST_EXTENSIONS = 1000
"""Tables and images in one file; light-curve files have three."""
MOST_PACKED_DATA = 1 << 30
"""Bytes of one extension in a compressed file, which is unpacked in memory as a whole: 40 million
observations of 24 bytes. Files that are not compressed are read where they are."""
_NUMBER = re.compile(rb"(\w[\w-]*) *= *([+-]?\d+) *(?:/.*)?")


def check_structure(path: Path) -> None:
    """Makes sure that headers end, and that the data that they announce are there.

    Raises:
        RecordError: they do not, or there is too much of something.
        OSError, EOFError, zlib.error: the file cannot be read or unpacked.
    """
    with path.open("rb") as raw:
        stream, packed = unpacked(raw)
        size = None if packed else path.stat().st_size
        position = 0
        for number in range(MOST_EXTENSIONS + 1):
            cards, length = _header(stream, path, number)
            if not cards:
                return
            position += length
            data = _data_bytes(cards, path, number)
            if packed and data > MOST_PACKED_DATA:
                most = f"at most {MOST_PACKED_DATA:,} bytes of data in a compressed file"
                raise _wrong(path, number, most, f"{data:,}", "Unpack it first (gunzip)")
            end = position + data
            position = end + -end % _BLOCK
            reached = stream.seek(position) if packed else min(position, size or 0)
            if reached < end:
                raise _wrong(path, number, f"the {data:,} bytes of data that it claims", "fewer")
            if packed:
                check_growth(path, raw.tell(), reached)
            stream.seek(position)
        raise _wrong(path, number, f"at most {MOST_EXTENSIONS} extensions", "more")


def _header(stream: BinaryIO, path: Path, number: int) -> tuple[dict[str, int], int]:
    """Whole numbers by keyword, and the bytes of the header; none after the last extension."""
    numbers: dict[str, int] = {}
    for blocks in range(MOST_HEADER_BLOCKS):
        block = stream.read(_BLOCK)
        first = b"SIMPLE  =" if not number else b"XTENSION="
        if not blocks and number and not block:
            return {}, 0
        if not blocks and not block.startswith(first):
            # What follows the last extension, too: astropy takes it for headers, for ever.
            raise _wrong(path, number, f"{first.decode()} as its first words", repr(block[:9])[1:])
        if len(block) < _BLOCK:
            raise _wrong(path, number, "the card END at the end of its header", "none")
        for start in range(0, _BLOCK, _CARD):
            card = block[start : start + _CARD]
            if card.rstrip() == b"END":
                numbers.setdefault("NAXIS", 0)
                return numbers, (blocks + 1) * _BLOCK
            if found := _NUMBER.fullmatch(card.rstrip()):
                numbers.setdefault(found[1].decode(), int(found[2]))
    raise _wrong(path, number, f"at most {MOST_HEADER_BLOCKS} blocks of header", "more")


def _data_bytes(numbers: dict[str, int], path: Path, number: int) -> int:
    axes = numbers["NAXIS"]
    if not 0 <= axes <= 999:
        raise _wrong(path, number, "NAXIS from 0 to 999", str(axes))
    lengths = [numbers.get(f"NAXIS{axis + 1}", -1) for axis in range(axes)]
    pcount, gcount = numbers.get("PCOUNT", 0), numbers.get("GCOUNT", 1)
    bits = numbers.get("BITPIX", 8)
    if min([*lengths, pcount, gcount]) < 0 or abs(bits) not in (8, 16, 32, 64):
        rule = "lengths that are not negative, and BITPIX of 8 to 64"
        found = f"NAXISn {lengths}, PCOUNT {pcount}, GCOUNT {gcount}, BITPIX {bits}"
        raise _wrong(path, number, rule, found)
    values = math.prod(lengths) if axes else 0
    return abs(bits) // 8 * gcount * (pcount + values)


def _wrong(
    path: Path, number: int, rule: str, received: str, what_to_do: str = "Copy it again"
) -> RecordError:
    part = "its first header" if not number else f"extension {number}"
    return RecordError(
        f"{path} cannot be read as FITS: {part} must have {rule}. Received: {received[:200]}. "
        f"{what_to_do}."
    )


_ROWS = 1 << 18
_EXTENSION = "LIGHTCURVE"
_OBJECT = ("OBJECT", "KEPLERID", "TICID")
_QUALITY = ("sap_quality", "quality")
_DAY = {"d": 1.0, "day": 1.0, "days": 1.0, "s": 1 / 86400, "sec": 1 / 86400, "second": 1 / 86400}
_DAY |= {"h": 1 / 24, "hr": 1 / 24, "min": 1 / 1440, "a": 365.25, "yr": 365.25}
_REFERENCES = (("BJDREF", JD_TO_MJD, "d"), ("JDREF", JD_TO_MJD, "s"), ("MJDREF", 0.0, "s"))
"""Keywords of a reference time, days to MJD, and the unit of times where nothing says it: days in
files of Kepler and TESS, seconds in FITS (Standard 4.0, section 9.2)."""
_MINUS = re.compile(r"\b([HB]?M?JD)\s*-\s*([\d.]+)")


@dataclass(frozen=True)
class TimeReference:
    """What turns a column's times into MJD: ``scale * time + offset``, and what says so."""

    scale: float
    offset: float
    words: str


@dataclass(frozen=True)
class FitsTable:
    """A binary or ASCII table of a FITS file.

    Attributes:
        path: the file, plain or gzip.
        names: of the columns.
        extension: number of the table's extension.
        objects: what the headers call the object, where they do.
        units: of columns that have one (TUNITn).
        header: keywords of the file and of the table.
        quality: column that is 0 for good observations, in files that say BJDREFI.
        strings: columns of texts.
        singles: columns of single precision.
    """

    path: Path
    names: tuple[str, ...]
    extension: int
    objects: tuple[str, ...]
    units: Mapping[str, str]
    header: Mapping[str, Any]
    quality: str | None
    strings: frozenset[str] = frozenset()
    singles: frozenset[str] = frozenset()

    comments: ClassVar[Sequence[str]] = ()

    def holds_numbers(self, name: str) -> bool:
        """Whether a column is of another type than text."""
        return name not in self.strings

    def is_single(self, name: str) -> bool:
        """Whether a column is of single precision."""
        return name in self.singles

    def time_reference(self, column: str) -> TimeReference | None:
        """What the header or the column's unit says of its times."""
        unit = self.units.get(column, "")
        days = _DAY.get(unit.strip().lower())
        for keyword, to_mjd, default in _REFERENCES:
            parts = [self.header.get(keyword + part) for part in ("I", "F", "")]
            numbers = [float(part) for part in parts if isinstance(part, (int, float))]
            if not numbers:
                continue
            stated = str(self.header.get("TIMEUNIT", "") or "").strip().lower()
            scale = days or _DAY.get(stated) or (1.0 if "JD" in unit else _DAY[default])
            zero = self.header.get("TIMEZERO", self.header.get("TIMEOFFS", 0.0)) or 0.0
            named = "days" if scale == 1 else f"times of {scale:.9g} days"
            words = f"{named} since {keyword} {sum(numbers):.10g}"
            return TimeReference(scale, sum(numbers) + scale * float(zero) + to_mjd, words)
        if found := _MINUS.search(unit):
            to_mjd = 0.0 if found[1].endswith("MJD") else JD_TO_MJD
            return TimeReference(1.0, float(found[2].rstrip(".")) + to_mjd, f"{unit} (its unit)")
        return None

    def blocks(
        self, numbers: Sequence[str], texts: Sequence[str], marks: Sequence[str] = ()
    ) -> Iterator[Callable[[], pa.Table]]:
        """Reads some columns, a bounded number of rows at a time.

        Yields:
            What gives the next block.

        Raises:
            RecordError: the file is damaged.
            DataAnomalyError: a column is not what it must be.
        """
        with _opened(self.path) as file:
            hdu = file[self.extension]
            data = hdu.data
            for start in range(0, len(data), _ROWS):
                part = data[start : start + _ROWS]
                columns = {
                    n: _numbers(part[n], n, self.path, _null(hdu.columns[n])) for n in numbers
                }
                columns |= {n: _texts(part[n], n, self.path) for n in texts}
                yield partial(pa.table, columns)

    def read(self, texts: Sequence[str], wanted: Sequence[str] | None = None) -> pa.Table:
        """The whole table; columns other than ``texts`` keep their type."""
        with _opened(self.path) as file:
            data = file[self.extension].data
            return pa.table(
                {
                    name: (
                        _texts(data[name], name, self.path)
                        if name in texts or data[name].dtype.kind in "SU"
                        else pa.array(_native(data[name]))
                    )
                    for name in wanted or self.names
                    if data[name].ndim == 1
                }
            )


def _null(column: Any) -> float | None:
    """What stands for no value, after scaling (TNULLn, TSCALn, TZEROn)."""
    if column.null in (None, ""):
        return None
    scale = 1.0 if column.bscale in (None, "") else float(column.bscale)
    zero = 0.0 if column.bzero in (None, "") else float(column.bzero)
    try:
        return float(column.null) * scale + zero
    except ValueError:
        return None  # of an ASCII table, where astropy looks for it itself


def open_fits(path: Path) -> FitsTable:
    """Finds the table: the extension LIGHTCURVE, else the first table.

    Raises:
        MissingExtraError: astropy is not installed.
        RecordError: the file is damaged, or has no table.
    """
    with _opened(path) as file:
        tables = [n for n, hdu in enumerate(file) if hasattr(hdu, "columns")]
        named = [n for n in tables if file[n].name == _EXTENSION]
        if not tables:
            raise RecordError(f"{path} has no table: only {', '.join(h.name for h in file)}.")
        extension = (named or tables)[0]
        headers = (file[extension].header, file[0].header)
        columns = file[extension].columns
        names = tuple(columns.names)
        objects = [str(h[k]).strip() for k in _OBJECT for h in headers if h.get(k) is not None]
        header = {
            key: value
            for cards in reversed(headers)
            for key, value in cards.items()
            if isinstance(value, (str, int, float))
        }
        return FitsTable(
            path,
            names,
            extension,
            tuple(dict.fromkeys(filter(None, objects))),
            {column.name: str(column.unit) for column in columns if column.unit},
            header,
            first_of(names, _QUALITY) if "BJDREFI" in header else None,
            frozenset(column.name for column in columns if "A" in str(column.format).upper()),
            frozenset(column.name for column in columns if str(column.format).endswith("E")),
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    require("fits", "astropy")
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    try:
        check_structure(path)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=AstropyUserWarning)
            for damage in ("File may have been truncated", "Error validating header"):
                warnings.filterwarnings("error", damage)
            with fits.open(path, memmap=True, lazy_load_hdus=False) as file:
                yield file
    except AstromerError:
        raise
    except Exception as error:  # for what is damaged, astropy raises some twenty kinds
        reason = shortened(str(error).strip("'").split("\n")[0].rstrip(".") or repr(error), 300)
        raise RecordError(f"{path} cannot be read as FITS: {reason}. Copy it again.") from None


def _native(values: np.ndarray) -> np.ndarray:
    """FITS is big-endian; Arrow is not."""
    values = np.asarray(values)
    return values.astype(values.dtype.newbyteorder("="))


def _numbers(values: np.ndarray, name: str, path: Path, null: float | None) -> pa.Array:
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise DataAnomalyError(
            f"{path}: the column {name} must hold one number in each row, it has "
            f"{values.dtype} of shape {values.shape[1:]}."
        )
    numbers = values.astype(np.float64)
    if null is not None:
        numbers[numbers == null] = np.nan
    return pa.array(numbers)


def _texts(values: np.ndarray, name: str, path: Path) -> pa.Array:
    if values.ndim != 1:
        raise DataAnomalyError(f"{path}: the column {name} must hold one name in each row.")
    if values.dtype.kind not in "SU":
        try:
            return as_text(pa.array(_native(values)))
        except pa.ArrowException as error:
            raise DataAnomalyError(
                f"{path}: the column {name} cannot be read as text ({brief(error)})."
            ) from None
    return pa.array(np.char.strip(_native(values).astype(np.str_)).tolist(), pa.string())
