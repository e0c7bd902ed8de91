"""What can go wrong when a damaged ``.npz`` file is read."""

from __future__ import annotations

import struct
import zipfile
import zlib

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
