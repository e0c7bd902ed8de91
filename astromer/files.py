"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astromer.errors import UsageError
from astromer.storage import RemotePath, as_path
from astromer.storage.publishing import published


def make_folder(folder: str | Path, option: str) -> Path:
    """Makes a folder that an option names.

    Raises:
        UsageError: if it cannot be made, or is something else.
    """
    try:
        as_path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{option} must be a folder that can be written to. Received: {folder} "
            f"({error.strerror}). Choose another one."
        ) from error
    return as_path(folder)


@contextmanager
def replace_folder(folder: str | Path) -> Iterator[Path]:
    """Yields an empty folder to fill; puts it in the place of ``folder`` if nothing was raised.

    The new folder lies beside the old one until it is complete; that of a store, on this machine.
    """
    folder = as_path(folder)
    if isinstance(folder, RemotePath):
        with published([folder]) as (new,):
            yield new
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    os.chmod(partial, 0o755)  # mkdtemp keeps others out
    try:
        yield partial
        replaced = partial.with_name(partial.name + ".old")
        if folder.exists():
            os.rename(folder, replaced)
        os.rename(partial, folder)
        shutil.rmtree(replaced, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
