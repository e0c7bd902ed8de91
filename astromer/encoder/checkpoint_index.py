"""The index of a TensorFlow checkpoint, looked at before TensorFlow reads it.

TensorFlow ends the process ("Check failed") where an entry of the index has a negative length, too
many dimensions or a type that there is not, and makes room for whatever is claimed. So the index is
read here first, in Python. It is a table of LevelDB's format, whose blocks TensorFlow does not
compress; keys are the names of variables, values are BundleEntryProto messages.
Formats: tensorflow/tsl/lib/io/table_format.txt, tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from astromer.records.framing import masked_crc32c
from astromer.records.wire import varint
from astromer.system.errors import ModelError
from astromer.system.text import brief

MOST_BYTES = 1 << 24
"""16 MiB: of an index. An entry has a hundred bytes, a public checkpoint a few hundred entries."""
MOST_SHARDS = 1000
"""Files that hold the values."""
_MOST_DIMENSIONS = 32
_FOOTER, _TRAILER = 48, 5
_MAGIC = 0xDB4775248B80FB57


def check_index(prefix: Path) -> None:
    """Makes sure that every entry fits the files with the values.

    Args:
        prefix: of the checkpoint.

    Raises:
        ModelError: one does not, or the index is damaged.
    """
    path = prefix.with_name(prefix.name + ".index")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
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
        raise ValueError(f"{name!r} is of type {entry.dtype}, which there is not") from None
    lengths = [dimension.size for dimension in entry.shape.dim]
    count = 1
    for length in lengths:
        count *= length
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
    footer, place = index[-_FOOTER:], 0
    handle = []
    for _ in range(4):  # offset and size of the meta-index, then of the index of blocks
        number, place = varint(footer, place)
        handle.append(number)
    for _, of_block in _block(index, handle[2], handle[3]):
        start, place = varint(of_block, 0)
        size, _ = varint(of_block, place)
        yield from _block(index, start, size)


def _block(index: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block: each key goes on from the one before it."""
    content = index[start : start + size + _TRAILER]
    if len(content) != size + _TRAILER or size < 4:
        raise ValueError("a block lies beyond its end")
    if masked_crc32c(content[:-4]) != struct.unpack("<I", content[-4:])[0]:
        raise ValueError("a block has a wrong checksum")
    if content[size]:
        raise ValueError("a block is compressed, which TensorFlow does not do")
    restarts = struct.unpack("<I", content[size - 4 : size])[0]
    place, end, key = 0, size - 4 * (restarts + 1), b""
    while place < end:
        shared, place = varint(content, place)
        added, place = varint(content, place)
        length, place = varint(content, place)
        if shared > len(key) or place + added + length > end:
            raise ValueError("an entry lies beyond its block")
        key = key[:shared] + content[place : place + added]
        yield key, content[place + added : place + added + length]
        place += added + length
