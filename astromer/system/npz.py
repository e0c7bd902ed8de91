"""Arrays in ``.npz`` files, which may be damaged, or made to do harm.

``numpy.load`` makes room for the shape that a member claims before it looks at what is there, and
unpacks a member of any size. Files of this project are not compressed: what they claim is checked
against the bytes that they have, so that no more is read than the file is large.
"""

from __future__ import annotations

import os
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

# Everything that NumPy raises for a file with missing, extra or flipped bytes.
DAMAGED = (
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
        DAMAGED: the file cannot be read, or claims what it does not have.
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
    version = np.lib.format.read_magic(stream)  # headers of at most 10,000 characters are parsed
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"version {version} of the format is not known")
