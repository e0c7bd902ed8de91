"""Finding and reading a TensorFlow checkpoint of the public code: a zip, a folder, or a prefix.

TensorFlow ends the process ("Check failed") where an entry of the index has a negative length, too
many dimensions or an unknown type, and allocates whatever an entry claims. So the index is checked
first, in Python. It is a table in LevelDB's format, whose blocks TensorFlow does not compress; keys
are the names of variables, values are BundleEntryProto messages.
Formats: tensorflow/tsl/lib/io/table_format.txt, tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import lzma
import math
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from astromer.records.encoding import varint
from astromer.records.framing import masked_crc32c
from astromer.system.errors import ModelError
from astromer.system.text import brief, shortened
from astromer.system.untrusted_files import read_json, read_toml

_SETTINGS = ("conf.json", "config.toml")
_LARGEST = 2 * 1024**3  # bytes of all members; public checkpoints have a few million
_MOST_GROWTH = 100  # unpacked bytes for a packed one; weights hardly shrink, names twenty-fold
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, struct.error, OverflowError, IndexError),
)
"""Errors of zipfile for archives that are damaged, encrypted or of an unknown kind."""
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    """Yields a checkpoint prefix: ``prefix.index`` and ``prefix.data-...`` exist.

    Raises:
        ModelError: there is no checkpoint, more than one, or an archive that is damaged or claims
            to be far larger than it is.
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
            "Weights must be a zip, a folder or a prefix of a TensorFlow checkpoint. Received: "
            f"{path}, which is {'none of them' if path.exists() else 'missing'}."
        )


def read_settings(prefix: Path) -> dict[str, Any]:
    """The ``conf.json`` or ``config.toml`` beside a checkpoint.

    Raises:
        ModelError: there is neither, or it cannot be read.
    """
    for name in _SETTINGS:
        path = prefix.parent / name
        if path.is_file():
            try:
                return (read_json if name.endswith(".json") else read_toml)(path)
            except (OSError, ValueError) as error:
                raise ModelError(f"{path} must be readable. Received: {brief(error)}.") from error
    raise ModelError(
        f"A checkpoint must have {' or '.join(_SETTINGS)} beside it, with the number of heads. "
        f"{prefix.parent} has neither."
    )


def read_weights(prefix: Path) -> dict[str, np.ndarray]:
    """The variables of a checkpoint by name, without the optimizer's.

    Raises:
        ModelError: it is damaged or not a TensorFlow checkpoint.
    """
    import tensorflow as tf

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
    with suppress(zipfile.BadZipFile):  # an archive of several disks
        return zipfile.is_zipfile(path)
    return False


def _extract(archive: Path, folder: Path) -> None:
    """Extracts checkpoints and settings by their base names, so that none leaves the folder.

    Sizes are checked in the directory first: zipfile reads no more bytes of a member than that.
    """
    try:
        with zipfile.ZipFile(archive) as members:
            chosen = {}
            for member in members.infolist():
                name = Path(member.filename).name
                wanted = name.endswith(".index") or ".data-" in name or name in _SETTINGS
                if wanted and not member.is_dir():
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
    """Raises ModelError for a member that does not belong into a zip of weights."""
    problem = ""
    if twice:
        problem = "twice"
    elif stat.S_ISLNK(member.external_attr >> 16):
        problem = "as a link"
    elif member.file_size > _MOST_GROWTH * max(member.compress_size, 1 << 10):
        problem = f"of {member.file_size:,} bytes, packed in {member.compress_size:,}"
    if problem:
        raise ModelError(
            f"A zip of weights must hold one checkpoint, as plain files. {archive} has "
            f"{shortened(member.filename)!r} {problem}. Download it again, or give a folder."
        )


def _prefix_in(folder: Path, source: Path) -> Path:
    found = sorted(folder.rglob("*.index"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ModelError(
            f"Weights must be one TensorFlow checkpoint (NAME.index and NAME.data-...). {source} "
            f"has {names}. Name one of them, without its ending."
        )
    return found[0].with_suffix("")


_MOST_BYTES = 1 << 24
"""16 MiB, of an index: a public checkpoint has a few hundred entries of a hundred bytes."""
MOST_SHARDS = 1000
"""Files with values."""
_MOST_DIMENSIONS = 32
_FOOTER, _TRAILER = 48, 5
_MAGIC = 0xDB4775248B80FB57


def check_index(prefix: Path) -> None:
    """Checks that every entry of a checkpoint's index fits the files with the values.

    Raises:
        ModelError: one does not, or the index is damaged.
    """
    path = prefix.with_name(prefix.name + ".index")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
        entries = dict(_entries(path.read_bytes()))
        shards = _shard_sizes(prefix, entries.pop(b"", b""))
        for name, value in entries.items():
            _check_entry(name.decode("utf-8", errors="replace"), value, shards)
    except (OSError, ValueError, IndexError, struct.error, DecodeError) as error:
        raise ModelError(
            f"A checkpoint must be whole and of TensorFlow. {path} is not: "
            f"{brief(error)}. Download or copy it again."
        ) from None


def _shard_sizes(prefix: Path, header: bytes) -> list[int]:
    from tensorflow.core.protobuf import tensor_bundle_pb2

    count = tensor_bundle_pb2.BundleHeaderProto.FromString(header).num_shards
    if not 1 <= count <= MOST_SHARDS:
        raise ValueError(f"it claims {count} files of values")
    names = (f"{prefix.name}.data-{n:05d}-of-{count:05d}" for n in range(count))
    return [prefix.with_name(name).stat().st_size for name in names]


def _check_entry(name: str, value: bytes, shards: list[int]) -> None:
    from tensorflow.core.protobuf import tensor_bundle_pb2

    entry: Any = tensor_bundle_pb2.BundleEntryProto.FromString(value)
    try:
        dtype = tf.dtypes.as_dtype(entry.dtype)
        width = 1 if dtype == tf.string else dtype.size  # a string takes a byte or more
    except TypeError:
        raise ValueError(f"{name!r} has the unknown type {entry.dtype}") from None
    lengths = [dimension.size for dimension in entry.shape.dim]
    count = math.prod(lengths)
    if len(lengths) > _MOST_DIMENSIONS or min(lengths, default=0) < 0 or entry.slices:
        raise ValueError(f"{name!r} has the shape {lengths[:_MOST_DIMENSIONS]}, or is in slices")
    held = count * width <= entry.size if dtype == tf.string else count * width == entry.size
    if not width or not held or entry.shape.unknown_rank:
        raise ValueError(f"{name!r} claims {lengths} of {dtype.name} in {entry.size} bytes")
    if not 0 <= entry.shard_id < len(shards):
        raise ValueError(f"{name!r} lies in file {entry.shard_id} of {len(shards)}")
    if not 0 <= entry.offset <= shards[entry.shard_id] - entry.size:
        raise ValueError(f"{name!r} lies beyond the end of the values: is the file cut off?")


def _entries(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(index) < _FOOTER or struct.unpack("<Q", index[-8:])[0] != _MAGIC:
        raise ValueError("it is no index of a checkpoint")
    # The footer has offset and size of the meta-index, then of the index of blocks.
    *_, start, size = _varints(index[-_FOOTER:], 4)
    for _, handle in _block(index, start, size):
        yield from _block(index, *_varints(handle, 2))


def _varints(data: bytes, count: int) -> list[int]:
    numbers, at = [], 0
    for _ in range(count):
        number, at = varint(data, at)
        numbers.append(number)
    return numbers


def _block(index: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block. A key shares its beginning with the one before it."""
    content = index[start : start + size + _TRAILER]
    if len(content) != size + _TRAILER or size < 4:
        raise ValueError("a block lies beyond its end")
    if masked_crc32c(content[:-4]) != struct.unpack("<I", content[-4:])[0]:
        raise ValueError("a block has a wrong checksum")
    if content[size]:
        raise ValueError("a block is compressed, unlike TensorFlow's")
    restarts = struct.unpack("<I", content[size - 4 : size])[0]
    at, end, key = 0, size - 4 * (restarts + 1), b""
    while at < end:
        shared, at = varint(content, at)
        added, at = varint(content, at)
        length, at = varint(content, at)
        if shared > len(key) or at + added + length > end:
            raise ValueError("an entry lies beyond its block")
        key = key[:shared] + content[at : at + added]
        yield key, content[at + added : at + added + length]
        at += added + length
