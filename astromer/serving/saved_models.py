"""Loading SavedModels from folders of any name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astromer.system.storage import RemotePath, as_path

PATTERN_CHARACTERS = "*?[]{}\\"
"""TensorFlow takes them for patterns when it looks for the file of weights."""


@contextmanager
def plain_folder(directory: str | Path) -> Iterator[str]:
    """A name of a folder that TensorFlow takes for no pattern: a link, where its own has one."""
    path = as_path(directory)
    if isinstance(path, RemotePath) or not set(str(path)) & set(PATTERN_CHARACTERS):
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="astromer-") as place:
        link = Path(place) / "model"
        os.symlink(path.absolute(), link, target_is_directory=True)
        yield str(link)


def load_saved_model(directory: str | Path) -> Any:
    """As ``tf.saved_model.load``, which says what it raises."""
    import tensorflow as tf

    with plain_folder(directory) as folder:
        return tf.saved_model.load(folder)
