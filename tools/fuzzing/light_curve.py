"""Light curves as files, for inputs to begin with."""

from __future__ import annotations

import struct

import numpy as np

from astromer.records.encoding import encode_light_curve
from astromer.records.framing import masked_crc32c


def frame(payload: bytes) -> bytes:
    """A payload as one record of a TFRecord file."""
    length = struct.pack("<Q", len(payload))
    sums = (struct.pack("<I", masked_crc32c(part)) for part in (length, payload))
    return length + next(sums) + payload + next(sums)


def a_record(count: int = 6, **context: str | int | float) -> bytes:
    """A serialized light curve."""
    steps = np.arange(count)
    series = {"mjd": 59000.123 + steps, "mag": 15 + 0.1 * steps, "errmag": 0.02 + 0.001 * steps}
    return encode_light_curve(series, context or {"ID": "a", "Label": 1, "Class": "RRab"})
