"""A fold on disk: which record files make up training, validation and test.

Imports the standard library only: a wrong path is refused before TensorFlow is loaded.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from astromer.errors import DataNotFoundError, RecordError

SPLITS = ("train", "validation", "test")
_FOLDER_NAMES = {"train": ("train",), "validation": ("validation", "val"), "test": ("test",)}
_SUFFIXES = (".record", ".tfrecord", ".record.gz", ".tfrecord.gz")
_GZIP_MAGIC = b"\x1f\x8b"


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
            DataNotFoundError: the folder, a split or its records are missing.
            RecordError: a file is no TFRecord file.
        """
        folder = Path(path).expanduser()
        _check_is_fold(folder)
        files = {split: _record_files(folder, split) for split in SPLITS}
        for paths in files.values():
            for file in paths:
                check_framing(file)
        configs = [folder / "config.toml", *(p[0].parent / "config.toml" for p in files.values())]
        config_path = next((config for config in configs if config.is_file()), None)
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
                with open(file, "rb") as stream:
                    while block := stream.read(1 << 20):
                        of_file.update(block)
                digest.update(of_file.digest())
        return digest.hexdigest()


def compression_of(file: Path) -> str:
    """``"GZIP"`` or ``""`` (none), told by the first bytes, in TensorFlow's words."""
    with open(file, "rb") as stream:
        return "GZIP" if stream.read(2) == _GZIP_MAGIC else ""


def check_framing(file: Path) -> None:
    """Checks the frame of a file's first record; an empty file passes.

    Raises:
        RecordError: the file does not start with a whole TFRecord frame.
    """
    try:
        with open(file, "rb") as raw:
            compressed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            stream: BinaryIO = gzip.GzipFile(fileobj=raw) if compressed else raw  # type: ignore[assignment]
            header = stream.read(12)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise RecordError(f"{file} is a damaged gzip file. Make or copy it again.") from None
    except OSError as error:
        raise RecordError(f"{file} cannot be read: {error.strerror}.") from None
    if not header:
        return
    if len(header) == 12:
        length, masked_crc = struct.unpack("<QI", header)
        fits = compressed or length + 16 <= file.stat().st_size
        if masked_crc == _mask(_crc32c(header[:8])):
            if fits:
                return
            raise RecordError(
                f"{file} is cut off in its first record (record 0, counted from 0): it needs "
                f"{length + 16} bytes, the file has {file.stat().st_size}. Copy or make it again."
            )
    raise RecordError(
        f"{file} is not a TFRecord file: its first record has no valid header. Make records "
        "with python -m astromer.create_records."
    )


def natural_key(path: Path) -> tuple[object, ...]:
    """Sorts 2.record before 10.record."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def _check_is_fold(folder: Path) -> None:
    if not folder.exists():
        raise DataNotFoundError(f"there is no data folder {folder}. Give the path of a fold.")
    if not folder.is_dir():
        raise DataNotFoundError(
            f"{folder} is a file; the data must be a fold: a folder with train, validation and "
            "test inside."
        )
    names = [name for options in _FOLDER_NAMES.values() for name in options]
    if any((folder / name).is_dir() for name in names):
        return
    folds = sorted((p for p in folder.glob("fold_*") if p.is_dir()), key=natural_key)
    if folds:
        hint = f"It holds {len(folds)} fold(s): give one of them, for instance {folds[0]}."
    elif (folder / "metadata.parquet").exists() or (folder / "light_curves").is_dir():
        hint = (
            "It is a raw Parquet survey: make records of it first, with "
            f"python -m astromer.create_records --data {folder}."
        )
    elif folder.name in names:
        hint = f"It is one split: give the fold around it, {folder.parent}."
    else:
        hint = "Give a folder made by python -m astromer.create_records."
    raise DataNotFoundError(
        f"{folder} is not a fold: it has none of the folders train, validation, test. {hint}"
    )


def _record_files(fold: Path, split: str) -> tuple[Path, ...]:
    options = [fold / name for name in _FOLDER_NAMES[split] if (fold / name).is_dir()]
    if not options:
        raise DataNotFoundError(
            f"the fold {fold} has no folder {' or '.join(_FOLDER_NAMES[split])}/. A fold needs "
            "train, validation and test records."
        )
    if len(options) > 1:
        raise DataNotFoundError(
            f"the fold {fold} has both {options[0].name}/ and {options[1].name}/: it is not clear "
            f"which one holds the {split} records. Remove one of them."
        )
    folder = options[0]
    files = [p for p in folder.iterdir() if p.is_file() and p.name.endswith(_SUFFIXES)]
    if not files:
        raise DataNotFoundError(
            f"{folder} holds no record files (*.record or *.tfrecord). Make records with "
            "python -m astromer.create_records."
        )
    filled = [p for p in files if p.stat().st_size > 0]
    if not filled:
        raise DataNotFoundError(
            f"the {len(files)} record file(s) in {folder} are empty (0 bytes): the {split} split "
            "has no light curves. Make the records again."
        )
    return tuple(sorted(filled, key=natural_key))


def _make_crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC_TABLE = _make_crc_table()


def _crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), the checksum of TFRecord frames."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _mask(crc: int) -> int:
    """TFRecord's masking of a checksum."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
