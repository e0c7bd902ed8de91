"""Every understood layout becomes the canonical one, with nothing lost."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from astromer.records.canonical import canonicalise
from astromer.records.codec import encode_light_curve

VALUES = np.arange(6, dtype=np.float32)


def record(names: tuple[str, ...], spread: bool) -> tf.train.SequenceExample:
    made = tf.train.SequenceExample()
    made.context.feature["id"].bytes_list.value.append(b"star")
    for name in names:
        for part in VALUES[:, None] if spread else [VALUES]:
            made.feature_lists.feature_list[name].feature.add().float_list.value.extend(part)
    return made


def test_a_canonical_record_comes_back_byte_by_byte():
    series = {"mjd": VALUES + 59000.1234567, "mag": VALUES, "errmag": VALUES + 0.1}
    serialized = encode_light_curve(series, {"ID": "star"})
    assert canonicalise(serialized) == serialized


def test_names_and_spread_lists_are_mended_and_all_else_is_kept():
    old = record(("dim_0", "dim_1", "dim_2", "airmass"), spread=True)
    new = tf.train.SequenceExample.FromString(canonicalise(old.SerializeToString()))

    lists = new.feature_lists.feature_list
    assert sorted(lists) == ["airmass", "errmag", "mag", "mjd"]
    for name in ("mjd", "mag", "errmag"):
        assert [list(f.float_list.value) for f in lists[name].feature] == [list(VALUES)]
    assert len(lists["airmass"].feature) == len(VALUES)
    assert new.context.feature["id"].bytes_list.value[0] == b"star"
