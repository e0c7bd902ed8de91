"""A folder that appears in a store when all of it is there."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astromer.system.storage.remote import RemotePath
from astromer.system.storage.trees import copy_tree, remove_tree

UNFINISHED = ".unfinished"
"""File in a folder that is being written to a store, or whose writing was cut off."""


@contextmanager
def published(folders: list[RemotePath]) -> Iterator[list[Path]]:
    """Yields empty local folders; what is in them takes the place of ``folders`` at the end.

    Stores cannot rename a folder, so its files are copied one by one. Meanwhile the file
    ``.unfinished`` is there, and a SavedModel's ``saved_model.pb`` is not. A local folder holds
    everything until then, in the place that the environment variable TMPDIR names.

    Where the block raises, nothing is written; where the copying fails, the unfinished
    folder is removed.
    """
    for folder in folders:
        folder.exists()  # whatever is wrong with the store is told before the work
    with tempfile.TemporaryDirectory(prefix="astromer-") as place:
        filled = [Path(place) / str(number) / folder.name for number, folder in enumerate(folders)]
        for new in filled:
            new.mkdir(parents=True)
        yield filled
        for new, folder in zip(filled, folders, strict=True):
            _upload(new, folder)


def _upload(source: Path, folder: RemotePath) -> None:
    remove_tree(folder)
    folder.mkdir(parents=True)
    mark = folder / UNFINISHED
    mark.write_text("This folder is being written, or its writing was cut off.\n")
    try:
        copy_tree(source, folder)
        mark.unlink()
    except BaseException:
        with contextlib.suppress(OSError):
            remove_tree(folder)
        raise
