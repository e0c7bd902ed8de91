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
from astromer.records import framing as unpacking
from astromer.records.framing import check_framing, record_sizes
from astromer.records.reader import iterate_batches
from astromer.records.sources import text_tables
from astromer.records.sources.text_tables import open_text
from astromer.system.errors import RecordError
from tools.fuzzing.light_curve import frame


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
        r"record 8 .* has bytes after its last record",
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


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "FREE", 1 << 16)


def test_a_table_that_grows_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"mjd,mag\n" + b"1,2\n" * 4_000_000))
    with pytest.raises(RecordError, match=r"a\.csv\.gz must not grow more than 200-fold.*gunzip"):
        open_text(path).read([])


def test_records_that_grow_too_much_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "0.record"
    record = frame(bytes(3000))
    path.write_bytes(gzip.compress(record * 20_000))
    with pytest.raises(RecordError, match=r"0\.record must not grow"):
        record_sizes(path)
    path.write_bytes(record * 20)
    assert list(record_sizes(path)) == [3000] * 20


def test_a_line_and_a_table_have_a_largest_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"mjd,mag\n1,2\n" + b"3," * 3_000_000)
    with pytest.raises(RecordError, match=r"a\.csv must have lines of at most 1,048,576 bytes"):
        open_text(path)
    monkeypatch.setattr(text_tables, "MOST_TABLE_BYTES", 1000)
    path.write_bytes(b"mjd,mag\n" + b"1,2\n" * 1000)
    with pytest.raises(RecordError, match=r"a\.csv is read as a whole"):
        open_text(path).read([])
