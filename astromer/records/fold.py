"""A fold on disk: which record files make up training, validation and test.

Imports nothing heavier than NumPy: a wrong path is refused before TensorFlow is loaded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.records.framing import check_framing
from astromer.system.atomic import UNFINISHED
from astromer.system.errors import DataNotFoundError, RecordError
from astromer.system.storage import RemotePath, as_path
from astromer.system.untrusted_files import read_toml

SPLITS = ("train", "validation", "test")
FOLDER_NAMES = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}
_OTHER_NAMES = {"valid": "validation", "dev": "validation", "training": "train", "testing": "test"}
_RECORD_FILE = re.compile(
    r"(?P<stem>.*\.(tf)?records?(\.gz)?)(-(?P<shard>\d+)-of-(?P<shards>\d+)(\.gz)?)?", re.IGNORECASE
)
"""For instance 0.record, 0.record.gz, data.tfrecord-00000-of-00002."""


@dataclass(frozen=True)
class Fold:
    """One train/validation/test division.

    Attributes:
        path: the fold's folder.
        files: record files of each split ('train', 'validation', 'test'), in natural
            order (2.record before 10.record); never empty.
        config_path: the ``config.toml`` that describes the features, if there is one.
    """

    path: Path
    files: Mapping[str, tuple[Path, ...]]
    config_path: Path | None

    @classmethod
    def open(cls, path: str | Path) -> Fold:
        """Finds the record files of a fold and checks that they look like record files.

        Raises:
            DataNotFoundError: the folder, a split or its records are missing or cannot be read.
            RecordError: a file is no TFRecord file, or holds no records beside others that do.
        """
        folder = as_path(path).expanduser()
        with _readable(folder):
            _check_is_fold(folder)
            files = {split: _record_files(folder, split) for split in SPLITS}
            for split, paths in files.items():
                _check_files(split, paths)
            configs = [folder, *(paths[0].parent for paths in files.values())]
            config_path = next((c / "config.toml" for c in configs if _has_config(c)), None)
        return cls(folder, files, config_path)

    def fingerprint(self) -> str:
        """sha256 of the record files' names, sizes and modification times."""
        digest = hashlib.sha256()
        for split in SPLITS:
            for file in self.files[split]:
                status = file.stat()
                name = file.relative_to(self.path).as_posix()
                digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def content_fingerprint(self) -> str:
        """sha256 of what the record files hold, in their order; their names do not matter."""
        digest = hashlib.sha256()
        for split in SPLITS:
            digest.update(f"{split}\n".encode())
            for file in self.files[split]:
                of_file = hashlib.sha256()
                with _readable(file), file.open("rb") as stream:
                    while block := stream.read(1 << 20):
                        of_file.update(block)
                digest.update(of_file.digest())
        return digest.hexdigest()


def natural_key(path: Path) -> tuple[object, ...]:
    """Sorts 2.record before 10.record."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def is_record_file(name: str) -> bool:
    """Whether a file of this name holds records."""
    # Hidden files are other programs' notes: ._0.record is made by a Mac.
    return not name.startswith(".") and _RECORD_FILE.fullmatch(name) is not None


def _check_is_fold(folder: Path) -> None:
    if not folder.exists():
        raise DataNotFoundError(
            f"A fold must be a folder with {', '.join(SPLITS)}. Received: {folder}, which does not "
            "exist. Correct the path, or make records with astromer create_records."
        )
    if not folder.is_dir():
        raise DataNotFoundError(
            f"{folder} is a file; the data must be a fold: a folder with train, validation and "
            "test inside."
        )
    if isinstance(folder, RemotePath) and (folder / UNFINISHED).exists():
        raise DataNotFoundError(
            f"{folder} is not complete: it is being written, or its writing was cut off. Wait for "
            "it, or make the records again with --overwrite."
        )
    names = [name for options in FOLDER_NAMES.values() for name in options]
    if any((folder / name).is_dir() for name in names):
        return
    folds = sorted((p for p in folder.glob("fold_*") if p.is_dir()), key=natural_key)
    if folds:
        hint = f"It holds {len(folds)} fold(s): give one of them, for instance {folds[0]}."
    elif (folder / "metadata.parquet").exists() or (folder / "light_curves").is_dir():
        hint = (
            "It is a raw Parquet survey: make records of it first, with "
            f"astromer create_records --data {folder}."
        )
    elif folder.name in names:
        hint = f"It is one split: give the fold around it, {folder.parent}."
    else:
        hint = "Give a folder made by astromer create_records."
    hint = _misspelt(folder, names) or hint
    raise DataNotFoundError(
        f"{folder} is not a fold: it has none of the folders train, validation, test. {hint}"
    )


def _misspelt(folder: Path, names: Sequence[str]) -> str:
    """Which folders have almost the name of one that is needed."""
    meant = {**{name: name for name in names}, **_OTHER_NAMES}
    found = sorted(
        (path.name, meant[path.name.lower()])
        for path in folder.iterdir()
        if path.is_dir() and path.name not in names and meant.get(path.name.lower()) in names
    )
    return "".join(f"Rename {given}/ to {name}/. " for given, name in found).rstrip()


def _record_files(fold: Path, split: str) -> tuple[Path, ...]:
    options = [fold / name for name in FOLDER_NAMES[split] if (fold / name).is_dir()]
    if not options:
        hint = _misspelt(fold, FOLDER_NAMES[split]) or (
            "A fold needs train, validation and test records."
        )
        raise DataNotFoundError(
            f"the fold {fold} has no folder {' or '.join(FOLDER_NAMES[split])}/. {hint}"
        )
    if len(options) > 1:
        raise DataNotFoundError(
            f"the fold {fold} has both {options[0].name}/ and {options[1].name}/: it is not clear "
            f"which one holds the {split} records. Remove one of them."
        )
    folder = options[0]
    files = [path for path in folder.iterdir() if is_record_file(path.name)]
    if not files:
        names = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        listed = ", ".join(p.name for p in names[:3]) + (", ..." if len(names) > 3 else "")
        raise DataNotFoundError(
            f"{folder} holds no record files (*.record or *.tfrecord) but {listed or 'nothing'}. "
            "Make records with astromer create_records."
        )
    return tuple(sorted(files, key=natural_key))


def _check_files(split: str, files: Sequence[Path]) -> None:
    for file in files:
        if file.is_symlink() and not file.exists():
            raise DataNotFoundError(
                f"{file} is a link to nothing. Put its target back, or remove the link."
            )
        if not file.is_file():
            kind = "a folder" if file.is_dir() else "no regular file"
            raise RecordError(
                f"{file} is {kind}; record files lie in {file.parent} itself. Move or rename it."
            )
    _check_shards(files)
    empty = [file for file in files if not check_framing(file)]
    if len(empty) == len(files):
        raise DataNotFoundError(
            f"the {len(files)} record file(s) in {files[0].parent} are empty: the {split} split "
            "holds no light curves. Make the records again."
        )
    if empty:
        raise RecordError(
            f"{empty[0]} is empty, beside files with records: light curves may be lost. Make or "
            "copy it again, or delete it."
        )


def _check_shards(files: Sequence[Path]) -> None:
    """Raises where file names of the form N-of-M show that one is missing."""
    found: dict[tuple[str, int], set[int]] = {}
    for file in files:
        name = _RECORD_FILE.fullmatch(file.name)
        if name and name["shard"]:
            found.setdefault((name["stem"], int(name["shards"])), set()).add(int(name["shard"]))
    for (stem, count), shards in found.items():
        if len(shards) < count:
            lost = next(number for number in range(count) if number not in shards)
            raise DataNotFoundError(
                f"{files[0].parent} has {len(shards)} of the {count} files of {stem}: "
                f"number {lost:05d} is missing. Copy it, too."
            )


def _has_config(folder: Path) -> bool:
    return (folder / "config.toml").is_file()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataNotFoundError(
            f"{error.filename or path} cannot be read: {error.strerror or error}. Correct its path "
            "or its permissions."
        ) from None


def read_processing(config: Path | None) -> dict[str, Any]:
    """The table ``[processing]`` of a fold's ``config.toml``; empty where nothing is known."""
    if config is None:
        return {}
    try:
        found = read_toml(config).get("processing")
    except (OSError, ValueError):
        return {}  # records are read without their config
    return found if isinstance(found, dict) else {}
