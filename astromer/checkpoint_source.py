"""Finding and reading a public checkpoint: a zip, a folder, or a checkpoint prefix."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from astromer.errors import ModelError
from astromer.small_files import read_json, read_toml

_SETTINGS = ("conf.json", "config.toml")
_LARGEST = 2 * 1024**3  # bytes of one member; public checkpoints have a few million
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    """Yields a checkpoint prefix: ``prefix.index`` and ``prefix.data-...`` exist.

    Raises:
        ModelError: if there is no checkpoint, or more than one.
    """
    path = Path(path)
    if path.is_file() and zipfile.is_zipfile(path):
        with TemporaryDirectory() as folder:
            _extract(path, Path(folder))
            yield _prefix_in(Path(folder), path)
    elif path.is_dir():
        yield _prefix_in(path, path)
    elif path.with_name(path.name + ".index").is_file():
        yield path
    else:
        raise ModelError(
            f"Weights must be a zip, a folder or a prefix of a TensorFlow checkpoint. Received: "
            f"{path}, which is {'none of them' if path.exists() else 'missing'}."
        )


def read_settings(prefix: Path) -> dict[str, Any]:
    """The ``conf.json`` or ``config.toml`` beside a checkpoint.

    Raises:
        ModelError: if there is neither, or it cannot be read.
    """
    for name in _SETTINGS:
        path = prefix.parent / name
        if path.is_file():
            try:
                return (read_json if name.endswith(".json") else read_toml)(path)
            except (OSError, ValueError) as error:
                raise ModelError(f"{path} must be readable. Received: {error}.") from error
    raise ModelError(
        f"A checkpoint must have {' or '.join(_SETTINGS)} beside it, which tells the number of "
        f"heads. {prefix.parent} has neither."
    )


def read_weights(prefix: Path) -> dict[str, np.ndarray]:
    """The variables of a checkpoint by name, without the optimizer's.

    Raises:
        ModelError: if it is damaged or not a TensorFlow checkpoint.
    """
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        names = [
            name
            for name in reader.get_variable_to_shape_map()
            if name.endswith(_VALUE)
            and "OPTIMIZER_SLOT" not in name
            and not name.startswith(("optimizer", "save_counter", "keras_api"))
        ]
        return {name.removesuffix(_VALUE): reader.get_tensor(name) for name in names}
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"A checkpoint must be whole and of TensorFlow. {prefix} is not: "
            f"{str(error).splitlines()[0]}."
        ) from error


def _extract(archive: Path, folder: Path) -> None:
    """Takes out checkpoints and settings, by base name alone: no member chooses its place."""
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            name = Path(member.filename).name
            if member.is_dir() or not _wanted(name):
                continue
            if member.file_size > _LARGEST or (folder / name).exists():
                raise ModelError(
                    f"A zip of weights must hold one checkpoint of at most {_LARGEST} bytes. "
                    f"{archive} has {member.filename!r} of {member.file_size}, or twice."
                )
            with members.open(member) as source, open(folder / name, "wb") as target:
                shutil.copyfileobj(source, target)


def _wanted(name: str) -> bool:
    return name.endswith(".index") or ".data-" in name or name in _SETTINGS


def _prefix_in(folder: Path, source: Path) -> Path:
    found = sorted(folder.rglob("*.index"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ModelError(
            f"Weights must be one TensorFlow checkpoint (NAME.index and NAME.data-...). {source} "
            f"has {names}. Name one of them, without its ending."
        )
    return found[0].with_suffix("")
