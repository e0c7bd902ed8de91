"""Compressed files that grow without measure."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from astromer.records import framing as unpacking
from astromer.records.framing import record_sizes
from astromer.records.sources import text
from astromer.records.sources.text import open_text
from astromer.system.errors import RecordError
from tools.fuzzing.light_curve import frame


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
    monkeypatch.setattr(text, "MOST_TABLE_BYTES", 1000)
    path.write_bytes(b"mjd,mag\n" + b"1,2\n" * 1000)
    with pytest.raises(RecordError, match=r"a\.csv is read as a whole"):
        open_text(path).read([])
