"""Whether a ``.npz`` file is whole, and what can go wrong when a damaged one is read."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO

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
    TypeError,
    ValueError,
)


def check_sums(file: IO[bytes]) -> None:
    """Compares all of a ``.npz`` file with the checksums in it.

    NumPy reads what an array's header promises, and a member's checksum is only looked at when all
    of it is read: a header with a flipped bit would pass.

    Raises:
        zipfile.BadZipFile: a member is not as it was written; or another error of ``DAMAGED``.
    """
    with zipfile.ZipFile(file) as archive:
        if (name := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{name} is not as it was written")
