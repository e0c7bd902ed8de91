"""Large records: those of observations pass, those of empty messages do not."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.records import encoding as wire
from astromer.records import reader
from astromer.records.encoding import encode_light_curve
from astromer.records.reader import iterate_batches, records_at_once
from astromer.system.errors import RecordError
from tools.fuzzing.light_curve import frame


def field(number: int, content: bytes) -> bytes:
    length = len(content)
    encoded = bytearray()
    while length > 127:
        encoded.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *encoded, length]) + content


def bloated(count: int) -> bytes:
    """``mjd`` of so many empty Features, two bytes each."""
    return field(2, field(1, field(1, b"mjd") + field(2, b"\x0a\x00" * count)))


def curve(count: int) -> bytes:
    values = np.linspace(1.0, 2.0, count)
    return encode_light_curve({"mjd": values, "mag": values, "errmag": values}, {"ID": "a"})


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large means a kilobyte here."""
    monkeypatch.setattr(wire, "LARGE", 1024)
    monkeypatch.setattr(reader, "LARGE", 1024)


def test_long_light_curves_pass_and_empty_messages_do_not() -> None:
    assert wire.is_mostly_series(curve(100_000))
    assert wire.is_mostly_series(bloated(400))
    assert not wire.is_mostly_series(bloated(600))
    names = field(1, field(1, field(1, b"ID") + field(2, field(1, b"\x0a\x00" * 600))))
    assert not wire.is_mostly_series(names)


def test_damaged_records_are_left_to_the_parser() -> None:
    whole = curve(500)
    for damaged in (whole[:-7], b"\xff" * 2000, b"\x0b" * 2000, b""):
        assert wire.is_mostly_series(damaged)


def test_a_file_with_such_a_record_names_it(tmp_path) -> None:
    file = tmp_path / "0.record"
    file.write_bytes(frame(curve(10)) + frame(bloated(900)))
    with pytest.raises(RecordError, match=r"record 1 \(counted from 0\) of .*0\.record must hold"):
        list(iterate_batches([file], strict=False))


def test_batches_are_bounded_by_their_bytes() -> None:
    assert records_at_once(np.full(2000, 1000)) == 512
    assert records_at_once(np.full(2000, 1 << 20)) == 64
    assert records_at_once(np.array([1 << 28])) == 1
    assert records_at_once(np.array([], np.int64)) == 512
    one_long = np.full(1000, 1000)
    one_long[700] = 1 << 26
    assert records_at_once(one_long) == 1
