"""What Beam's workers leave for the validator: pickles of a few known types, and of no others.

They lie in a folder that workers elsewhere reach, where others may write, too. A pickle may name
any function to be called when it is loaded; this reader knows those of its own results alone.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

from astromer.system.errors import RecordError
from astromer.system.text import brief

_KNOWN = {
    ("astromer.light_curves", "LightCurve"),
    ("astromer.validation.duplicates", "Match"),
    ("astromer.validation.duplicates", "Location"),
    ("astromer.validation.duplicates", "Identities"),
    ("astromer.validation.file_check", "Violation"),
    ("astromer.validation.file_check", "FileCheck"),
    ("astromer.validation.profile", "SplitProfile"),
    ("collections", "Counter"),
    *(("numpy", name) for name in ("dtype", "ndarray")),
    *(
        (f"numpy.{core}.multiarray", name)
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}


def dumped(content: object) -> bytes:
    """Results as bytes."""
    return pickle.dumps(content)


def load_results(file: Path) -> Any:
    """What :func:`dumped` made.

    Raises:
        RecordError: the file is damaged, or holds something else.
    """
    try:
        return _Results(io.BytesIO(file.read_bytes())).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, ValueError) as error:
        raise RecordError(
            f"{file} must hold what a worker of the validation has found. Received: "
            f"{brief(error)}. Run the validation again."
        ) from None


class _Results(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"a pickle that names {module}.{name}")
        return super().find_class(module, name)
