"""Files that may be damaged, or made to do harm: text, JSON, TOML and ``.npz``.

Whoever reads a small file takes all of it into memory, so each kind has a largest size. Parsers
recurse, so deep nesting ends in a RecursionError. ``numpy.load`` allocates the shape that a member
claims and unpacks a member of any size; files of this project are not compressed, so what they
claim is checked against the bytes that they have. NumPy is imported where arrays are read.
"""

from __future__ import annotations

import json
import os
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

if TYPE_CHECKING:
    import numpy as np

_MOST_BYTES = 1 << 26
"""64 MiB: facts, histories and checksums. Those of a version with 100,000 files have 16 MiB."""
MOST_TOML_BYTES = 1 << 18
"""256 KiB: settings. A survey's have a kilobyte; the parser takes three seconds for the worst."""

_MOST_DOTS = 1000
"""Of a key: Python 3.13 needs gigabytes for one of many parts."""


def read_text(path: Path, most: int = _MOST_BYTES) -> str:
    """The text of a small file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than ``most`` bytes, or no UTF-8.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content.decode("utf-8")


def read_json(path: Path) -> Any:
    """The content of a small JSON file; raises as :func:`read_text` and :func:`parse_json`."""
    return parse_json(read_text(path))


def parse_json(text: str) -> Any:
    """The content of a JSON text; raises ValueError if it is none, or nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a small TOML file; raises as :func:`read_text` and :func:`parse_toml`."""
    return parse_toml(read_text(path, MOST_TOML_BYTES))


def parse_toml(text: str) -> dict[str, Any]:
    """The content of a TOML text; raises ValueError if it is none, or nested too deeply."""
    if any(part.count(".") > _MOST_DOTS for line in text.splitlines() for part in line.split("=")):
        raise ValueError("it is nested too deeply")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def to_toml(value: Any) -> str:
    """A text, number, truth value or list of them, as TOML writes it.

    It is JSON without escaped surrogate pairs, which TOML does not have.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# Everything that NumPy raises for a file with missing, extra or flipped bytes.
READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    TypeError,
    ValueError,
)

MOST_MEMBERS = 100_000
"""Arrays in a file: the largest encoder has some hundreds, its optimizer three times as many."""
_SUFFIX = ".npy"


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that ``numpy.savez`` wrote, by name.

    No pickles are loaded, and no more memory is taken than twice the file's size.

    Raises:
        READ_ERRORS: the file cannot be read, or claims what it does not have.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_directory(members, file.seek(0, os.SEEK_END))
        return {member.filename.removesuffix(_SUFFIX): _read(archive, member) for member in members}


def _check_directory(members: list[zipfile.ZipInfo], size: int) -> None:
    names = {member.filename for member in members}
    if len(names) != len(members) or len(members) > MOST_MEMBERS:
        raise ValueError("it names a member twice, or too many")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("its members are compressed, which those of checkpoints are not")
    if sum(member.file_size for member in members) > size:
        raise ValueError("it claims more bytes than it has")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    import numpy as np

    with archive.open(member) as stream:
        shape, fortran_order, dtype = _read_header(stream)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects")
        count = 1
        for length in shape:  # of Python's integers, which do not overflow
            if length < 0:
                raise ValueError(f"{member.filename} claims the shape {shape}")
            count *= length
        if count * dtype.itemsize > member.file_size or (count and not dtype.itemsize):
            raise ValueError(f"{member.filename} claims more values than it has")
        content = bytearray(stream.read())
    if len(content) != count * dtype.itemsize:
        raise ValueError(f"{member.filename} has {len(content)} bytes for the shape {shape}")
    values = np.frombuffer(content, dtype, count) if count else np.empty(0, dtype)
    return values.reshape(shape, order="F" if fortran_order else "C")


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    import numpy as np

    version = np.lib.format.read_magic(stream)  # headers of at most 10,000 characters are parsed
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"version {version} of the format is not known")
