"""Any bytes as a record file."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

from astromer.records.framing import check_framing, estimate_records, record_sizes
from astromer.records.reader import iterate_batches
from tools.fuzzing.light_curve import a_record, frame
from tools.fuzzing.target import Target, allowed, require


def check(data: bytes, folder: Path) -> None:
    """Frames that are whole are as many as TensorFlow reads; others are refused."""
    file = folder / "0.record"
    file.write_bytes(data)
    estimate_records([file])
    any_record = allowed(lambda: check_framing(file), file)
    sizes = allowed(lambda: record_sizes(file), file)
    if any_record is None:
        require(sizes is None, "the first frame is refused, the file is not")
    batches = allowed(lambda: list(iterate_batches([file], strict=False)), file)
    if batches is not None:
        require(sum(map(len, batches)) == len(sizes or ()), "records were lost")


def seeds() -> Iterable[bytes]:
    """Record files, plain and gzip."""
    records = frame(a_record()) + frame(a_record(1)) + frame(b"")
    return [b"", records, gzip.compress(records, mtime=0), records[:-3], frame(a_record())]


TARGET = Target(
    "framing", "any bytes as a record file: frames, gzip, TensorFlow's reader", check, seeds
)
