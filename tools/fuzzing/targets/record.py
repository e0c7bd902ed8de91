"""Any bytes as the payload of a record whose frame is right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.records.codec import canonicalise, read_context, read_series
from astromer.records.reader import RecordBatch, iterate_batches, read_light_curves
from tools.fuzzing.light_curve import a_record, frame
from tools.fuzzing.target import Target, allowed, require

_SEPARATOR = b"\xff\xfe\xfd"


def check(data: bytes, folder: Path) -> None:
    """Records are read by all readers alike, or refused with the file's name."""
    file = folder / "0.record"
    payloads = data.split(_SEPARATOR)
    file.write_bytes(b"".join(map(frame, payloads)))
    for payload in payloads:
        read_context(payload)
    lenient = allowed(lambda: list(iterate_batches([file], strict=False)), file)
    curves = None
    if sum(data) % 8 == 0:  # TensorFlow takes 20 ms to open a file: it is opened twice now and then
        curves = allowed(lambda: read_light_curves([file]), file)
    if lenient is None:
        require(curves is None, "strict reading takes what lenient reading refuses")
        return
    kinds: dict[str, str] = {}
    for batch in lenient:
        _check_batch(batch)
        for row, record in enumerate(batch.serialized):
            place = batch.location(row)
            canonical = allowed(lambda: canonicalise(record, kinds, place), file)  # noqa: B023
            if canonical is not None:
                for one, other in zip(read_series(record), read_series(canonical), strict=True):
                    require(one.tobytes() == other.tobytes(), "canonicalising changed a series")
    if curves is not None:
        require(len(curves) == len(payloads), "light curves were lost")
        for number in range(len(curves)):
            times = curves.mjd[curves.offsets[number] : curves.offsets[number + 1]]
            require(bool((np.diff(times[~np.isnan(times)]) >= 0).all()), "times are not sorted")


def _check_batch(batch: RecordBatch) -> None:
    total = int(batch.lengths.sum())
    require(
        len(batch.mjd) == len(batch.mag) == len(batch.errmag) == total, "series differ in length"
    )
    require(batch.mjd.dtype == np.float64, "times lost their precision")
    for record, lengths in zip(batch.serialized, batch.series_lengths.T, strict=True):
        in_python = allowed(lambda: [len(values) for values in read_series(record)])  # noqa: B023
        require(
            in_python is None or in_python == lengths.tolist(),
            f"{lengths} values, in Python {in_python}",
        )


def seeds() -> Iterable[bytes]:
    """Light curves of every layout."""
    old = tf.train.SequenceExample()
    for name in ("dim_0", "dim_1", "dim_2"):
        for value in (1.0, 2.0, 3.0):
            old.feature_lists.feature_list[name].feature.add().float_list.value.append(value)
    old.context.feature["id"].bytes_list.value.append(b"x")
    old.context.feature["label"].int64_list.value.append(3)
    example = tf.train.Example()
    example.features.feature["mjd"].float_list.value.extend([1.0, 2.0])
    one, two = a_record(), old.SerializeToString()
    return [one, two, one + _SEPARATOR + two, example.SerializeToString(), a_record(3, newID=2)]


TARGET = Target("record", "any bytes as a record: SequenceExample readers", check, seeds)
