"""Finding and reading a public checkpoint: a zip, a folder, or a checkpoint prefix."""

from __future__ import annotations

import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from astromer.system.errors import ModelError
from astromer.system.small_files import read_json, read_toml
from astromer.system.text import brief, shortened

_SETTINGS = ("conf.json", "config.toml")
_LARGEST = 2 * 1024**3  # bytes of all members; public checkpoints have a few million
_MOST_GROWTH = (
    100  # unpacked bytes for a packed one; weights hardly shrink at all, names twenty-fold
)
_LINK = 0o120000
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, struct.error, OverflowError, IndexError),
)
"""What zipfile raises for archives that are damaged, encrypted or of a kind it does not know."""
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    """Yields a checkpoint prefix: ``prefix.index`` and ``prefix.data-...`` exist.

    Raises:
        ModelError: if there is no checkpoint, more than one, or an archive that is damaged or
            claims to be far larger than it is.
    """
    path = Path(path)
    if path.is_file() and _is_zip(path):
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
                raise ModelError(f"{path} must be readable. Received: {brief(error)}.") from error
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

    from astromer.encoder.checkpoint_index import check_index

    check_index(prefix)
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
            f"A checkpoint must be whole and of TensorFlow. {prefix} is not: {brief(error)}."
        ) from error


def _is_zip(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # of several disks
        return False


def _extract(archive: Path, folder: Path) -> None:
    """Takes out checkpoints and settings, by base name alone: no member chooses its place.

    No member gives more bytes than the directory says, and that is looked at first.
    """
    try:
        with zipfile.ZipFile(archive) as members:
            chosen = {}
            for member in members.infolist():
                name = Path(member.filename).name
                if not member.is_dir() and _wanted(name):
                    _check(member, archive, twice=name in chosen)
                    chosen[name] = member
            total = sum(member.file_size for member in chosen.values())
            if total > _LARGEST:
                raise ModelError(
                    f"A zip of weights must hold a checkpoint of at most {_LARGEST:,} bytes. "
                    f"{archive} has one of {total:,}."
                )
            for name, member in chosen.items():
                with members.open(member) as source, open(folder / name, "wb") as target:
                    shutil.copyfileobj(source, target)
    except _DAMAGED as error:
        raise ModelError(
            f"A zip of weights must be whole and not encrypted. {archive} cannot be unpacked "
            f"({brief(error)}). Download it again."
        ) from error


def _check(member: zipfile.ZipInfo, archive: Path, *, twice: bool) -> None:
    """Raises ModelError for a member that no zip of weights has."""
    problem = ""
    if twice:
        problem = "twice"
    elif stat.S_IFMT(member.external_attr >> 16) == _LINK:
        problem = "as a link"
    elif member.file_size > _MOST_GROWTH * max(member.compress_size, 1 << 10):
        problem = f"of {member.file_size:,} bytes, packed in {member.compress_size:,}"
    if problem:
        raise ModelError(
            f"A zip of weights must hold one checkpoint, as plain files. {archive} has "
            f"{shortened(member.filename)!r} {problem}. Download it again, or give a folder."
        )


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
