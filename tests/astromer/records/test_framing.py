"""Every frame of a record file is looked at before TensorFlow reads it."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from astromer.records import framing
from astromer.records.framing import check_framing, record_sizes
from astromer.records.reader import iterate_batches
from astromer.system.errors import RecordError


def starts(content: bytes) -> list[int]:
    """Where each record's frame begins."""
    found, at = [], 0
    while at < len(content):
        found.append(at)
        at += 16 + struct.unpack("<Q", content[at : at + 8])[0]
    return found


def with_length(content: bytes, record: int, length: int) -> bytes:
    """The record claims another length, with a valid checksum."""
    at = starts(content)[record]
    claimed = struct.pack("<Q", length)
    checksum = struct.pack("<I", framing.masked_crc32c(claimed))
    return content[:at] + claimed + checksum + content[at + 12 :]


@pytest.fixture
def file(tmp_path, make) -> Path:
    return make.records(tmp_path / "0.record", [make.record(9, seed) for seed in range(8)])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_whole_files_are_counted(file, pack):
    file.write_bytes(pack(file.read_bytes()))
    assert len(record_sizes(file)) == 8
    assert check_framing(file)
    file.write_bytes(pack(b""))
    assert len(record_sizes(file)) == 0
    assert not check_framing(file)


def test_a_file_of_several_gzip_members_is_read_to_its_end(file):
    content = file.read_bytes()
    half = starts(content)[4]
    file.write_bytes(gzip.compress(content[:half]) + gzip.compress(content[half:]))
    assert len(record_sizes(file)) == 8
    assert sum(map(len, iterate_batches([file]))) == 8


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut in a header": (lambda c: c[: starts(c)[7] + 5], r"record 7 .* is cut off in its header"),
    "cut after a header": (lambda c: c[: starts(c)[7] + 12], r"record 7 .* is cut off: it needs"),
    "cut in a payload": (lambda c: c[:-40], r"record 7 .* is cut off: it needs 40 bytes more"),
    "wrong length": (lambda c: c[: starts(c)[3]] + b"\x01" + c[starts(c)[3] + 1 :], "record 3 "),
    "too long": (lambda c: with_length(c, 5, 2**40), r"record 5 .* claims 1,099,511,627,776"),
    "endless": (lambda c: with_length(c, 0, 2**64 - 20), r"record 0 .* claims"),
    "longer than the file": (lambda c: with_length(c, 5, 10**8), r"record 5 .* is cut off"),
    "has bytes after its last record": (
        lambda c: c + b"# the end of the file, or so",
        r"record 8 .* goes on",
    ),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_frame_is_named_and_takes_no_memory(file, name, pack):
    spoil, said = DAMAGE[name]
    file.write_bytes(pack(spoil(file.read_bytes())))
    tracemalloc.start()
    with pytest.raises(RecordError, match=said) as caught:
        list(iterate_batches([file]))
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda packed: packed[: len(packed) // 2], "it is cut off at record"),
        (lambda packed: packed[:-8], "it is cut off at record 8"),
        (lambda packed: packed[:-1], "it is cut off at record 8"),
        (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "it is corrupt"),
        (lambda packed: packed + b"something else", "has other bytes after its end"),
    ],
)
def test_damaged_gzip_files_are_named(file, spoil, said):
    file.write_bytes(spoil(gzip.compress(file.read_bytes())))
    with pytest.raises(RecordError, match=f"0.record is a damaged gzip file: .*{said}"):
        list(iterate_batches([file]))


def test_records_that_tensorflow_passes_over_are_missed(file, monkeypatch):
    fewer = tf.data.TFRecordDataset(str(file)).take(5)
    monkeypatch.setattr(tf.data, "TFRecordDataset", lambda *given, **named: fewer)
    with pytest.raises(RecordError, match="holds 8 records, of which TensorFlow reads 5"):
        list(iterate_batches([file]))
