"""How much of a large record is not observations, told without taking it apart.

A protocol buffer of 256 MB may hold a hundred million empty messages, each of which takes a hundred
bytes once it is parsed. The values of a series lie in one piece that takes as much as it has.
Imports the standard library only. Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

LARGE = 1 << 22
"""4 MiB: smaller records may hold anything; parsed, they are at most some hundreds of megabytes.
Older records, which have a message for each value, fit with 130,000 observations."""

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
# SequenceExample.feature_lists, FeatureLists.feature_list, its value, FeatureList.feature,
# Feature.float_list, FloatList.value
_PATH = (2, 1, 2, 1, 2, 1)


def is_mostly_series(record: bytes) -> bool:
    """Whether all but 4 MiB of a record are values of float_lists, each list in one piece."""
    left = LARGE
    levels = [(0, len(record), 0)]  # start, end, depth in _PATH
    while levels:
        place, end, depth = levels.pop()
        while place < end:
            before = place
            try:
                tag, place = varint(record, place)
                place, length = _skip(record, place, tag & 7)
            except (IndexError, ValueError):
                return True  # damaged: parsing it ends here, too
            start = place - length
            inside = tag & 7 == _DELIMITED and tag >> 3 == _PATH[depth]
            if inside and depth == len(_PATH) - 1:
                left -= start - before  # the values themselves are no overhead
            elif inside:
                left -= start - before
                levels += [(place, end, depth), (start, min(place, end), depth + 1)]
                place = end
            else:
                left -= place - before
            if left < 0:
                return False
    return True


def varint(record: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and the place after it.

    Raises:
        IndexError: it goes on beyond the end.
        ValueError: it has more than ten bytes.
    """
    value = 0
    for shift in range(0, 70, 7):
        byte = record[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number of more than ten bytes")


def _skip(record: bytes, place: int, kind: int) -> tuple[int, int]:
    """The end of a field, and the length of its content where that is delimited."""
    if kind == _VARINT:
        return varint(record, place)[1], 0
    if kind == _FIXED64:
        return place + 8, 0
    if kind == _FIXED32:
        return place + 4, 0
    if kind == _DELIMITED:
        length, place = varint(record, place)
        return place + length, length
    raise ValueError("a group, or no field")
