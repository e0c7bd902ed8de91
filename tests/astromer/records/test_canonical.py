"""Every understood layout becomes the canonical one, with nothing lost."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from astromer.records.codec import canonicalise, read_context
from astromer.records.encoding import encode_light_curve

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


def context_kinds(serialized: bytes) -> dict[str, str]:
    features = tf.train.SequenceExample.FromString(serialized).context.feature
    return {name: features[name].WhichOneof("kind") for name in features}


def test_features_of_one_name_get_one_type(make):
    kinds: dict[str, str] = {}
    first = make.record(5, 0, ID=77, RA=10.5, Label=3, Survey="x")
    other = make.record(5, 1, ID="S1", RA="11.5", Label=4.0, Survey=7)
    odd = make.record(5, 2, ID=7.0, RA="12:30", Label="unknown", Survey=2.5)
    made = [canonicalise(record, kinds) for record in (first, other, odd)]
    expected = {"ID": "bytes_list", "RA": "float_list", "Label": "int64_list"}
    expected |= {"Survey": "bytes_list", "Class": "bytes_list"}
    assert context_kinds(made[0]) == context_kinds(made[1]) == expected
    # What cannot be converted is left out.
    assert context_kinds(made[2]) == {n: k for n, k in expected.items() if n not in ("RA", "Label")}
    assert [read_context(record).id for record in made] == ["77", "S1", "7"]
    assert read_context(made[1]).label == 4
    assert canonicalise(made[1], kinds) == made[1]


def test_other_lists_of_another_type_are_left_out(make):
    kinds: dict[str, str] = {}
    records = []
    for kind in ("float_list", "int64_list"):
        record = tf.train.SequenceExample.FromString(make.record(5, 0))
        feature = record.feature_lists.feature_list["airmass"].feature.add()
        getattr(feature, kind).value.extend([1, 2])
        records.append(canonicalise(record.SerializeToString(), kinds))
    names = [tf.train.SequenceExample.FromString(r).feature_lists.feature_list for r in records]
    assert "airmass" in names[0]
    assert sorted(names[1]) == ["errmag", "mag", "mjd", "mjd_residual"]
