from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from astromer.records.codec import (
    MOST_CHARACTERS,
    Context,
    canonicalise,
    parse_records,
    read_context,
)
from astromer.records.encoding import encode_light_curve


def test_a_record_is_what_tensorflow_itself_would_write(make):
    fields = make.series(300)
    context = {"ID": "étoile", "Label": -3, "Period": 2.5, "newID": 2**40, "raw": b"\x00\xff"}
    example = tf.train.SequenceExample.FromString(encode_light_curve(fields, context))
    values = example.context.feature
    assert values["ID"].bytes_list.value[0].decode() == "étoile"
    assert values["raw"].bytes_list.value[:] == [b"\x00\xff"]
    assert values["Label"].int64_list.value[:] == [-3]
    assert values["newID"].int64_list.value[:] == [2**40]
    assert values["Period"].float_list.value[:] == [2.5]
    lists = example.feature_lists.feature_list
    assert sorted(lists) == ["errmag", "mag", "mjd", "mjd_residual"]
    assert [len(lists[name].feature) for name in lists] == [1, 1, 1, 1]
    np.testing.assert_array_equal(lists["mag"].feature[0].float_list.value, fields["mag"])
    np.testing.assert_array_equal(
        np.float32(lists["mjd"].feature[0].float_list.value), fields["mjd"].astype(np.float32)
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.floats(0, 200_000), min_size=1, max_size=40), min_size=1, max_size=5))
def test_times_survive_to_a_tenth_of_a_millisecond(times):
    records = [
        encode_light_curve(
            {"mjd": np.array(t), "mag": np.arange(len(t)), "errmag": np.ones(len(t))}, {}
        )
        for t in times
    ]
    parsed = parse_records(tf.constant(records)).curves
    assert parsed.mjd.dtype == tf.float64
    for row, expected in zip(parsed.mjd, times, strict=True):
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-9)
    assert parsed.mag.row_lengths().numpy().tolist() == [len(t) for t in times]


def test_equal_input_gives_equal_bytes_whatever_the_order_of_the_context(make):
    fields = make.series(5)
    one = encode_light_curve(fields, {"a": 1, "b": "x"})
    assert one == encode_light_curve(dict(reversed(fields.items())), {"b": "x", "a": 1})


def test_all_layouts_parse_in_one_batch_inside_a_graph(make):
    spread = tf.train.SequenceExample()
    for i in range(3):
        for name in ("mjd", "mag", "errmag"):
            spread.feature_lists.feature_list[name].feature.add().float_list.value.append(i)
    records = [
        make.sequence_example({"mjd": [1, 2], "mag": [3, 4], "errmag": [5, 6]}),
        make.sequence_example({"dim_0": [7], "dim_1": [8], "dim_2": [9]}),
        spread,
        make.sequence_example({"mag": [1]}),
        # A residual of another length belongs to nothing.
        make.sequence_example({"mjd": [1, 2], "mag": [3, 4], "mjd_residual": [0.5]}),
        make.sequence_example({"mjd": [1, 2], "mag": [3, 4], "mjd_residual": [0.25, 0.5]}),
    ]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def parse(serialized):
        return parse_records(serialized).curves

    parsed = parse(tf.constant([r.SerializeToString() for r in records]))
    assert parsed.mjd.to_list() == [[1, 2], [7], [0, 1, 2], [], [1, 2], [1.25, 2.5]]
    assert parsed.mag.to_list() == [[3, 4], [8], [0, 1, 2], [1], [3, 4], [3, 4]]
    assert parsed.errmag.to_list() == [[5, 6], [9], [0, 1, 2], [], [], []]
    assert parse(tf.constant([], tf.string)).mjd.to_list() == []


def test_unequal_series_and_odd_context_are_refused(make):
    fields = make.series(5)
    with pytest.raises(ValueError, match="equally long"):
        encode_light_curve({**fields, "mag": fields["mag"][:4]}, {})
    with pytest.raises(TypeError, match="'Label'"):
        encode_light_curve(fields, {"Label": None})


def context(**features: bytes | int | float | list[bytes]) -> Context:
    record = tf.train.SequenceExample()
    for name, value in features.items():
        feature = record.context.feature[name]
        if isinstance(value, float):
            feature.float_list.value.append(value)
        elif isinstance(value, int):
            feature.int64_list.value.append(value)
        else:
            feature.bytes_list.value.extend([value] if isinstance(value, bytes) else value)
    return read_context(record.SerializeToString())


def test_an_id_of_any_type_is_the_same_name():
    assert context(ID=b"77").id == context(ID=77).id == context(id=77.0).id == "77"
    assert context(ID=7.5).id == "7.5"


def test_a_blank_id_gives_way_to_the_number():
    assert context(ID=b"  ", newID=12).id == "12"
    assert context(ID=b"a", newID=12).id == "a"
    assert context().id == ""


def test_names_in_another_encoding_stay_different():
    assert context(ID=b"\xe9toile").id != context(ID=b"\xe8toile").id
    assert context(ID="étoile".encode()).id == "étoile"


def test_long_names_are_cut_and_stay_different():
    one, other = context(ID=b"x" * 10_000).id, context(ID=b"x" * 10_001).id
    assert len(one) == len(other) == MOST_CHARACTERS
    assert one != other
    assert context(ID=b"x" * MOST_CHARACTERS).id == "x" * MOST_CHARACTERS


def test_the_first_of_several_values_counts():
    assert context(ID=[b"a", b"b"]).id == "a"
    assert context(ID=[]).id == ""


@pytest.mark.parametrize(
    ("recorded", "period"),
    [
        ({"Period": 0.5}, 0.5),
        ({"period": 2}, 2.0),
        ({"PERIOD": b"0.25"}, 0.25),
        ({}, np.nan),
        ({"Period": []}, np.nan),
        ({"Period": np.nan}, np.nan),
        ({"Period": np.inf}, np.nan),
        ({"Period": 0.0}, np.nan),
        ({"Period": -99}, np.nan),
        ({"Period": b"0.25:"}, np.nan),
    ],
)
def test_a_period_is_a_positive_number_or_unknown(recorded, period):
    np.testing.assert_equal(context(**recorded).period, period)


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
    first = make.record(5, 0, ID=77, RA=10.5, Label=3, Survey="x", Period=2)
    other = make.record(5, 1, ID="S1", RA="11.5", Label=4.0, Survey=7, Period=0.5)
    odd = make.record(5, 2, ID=7.0, RA="12:30", Label="unknown", Survey=2.5, Period="long")
    made = [canonicalise(record, kinds) for record in (first, other, odd)]
    expected = {"ID": "bytes_list", "RA": "float_list", "Label": "int64_list"}
    expected |= {"Survey": "bytes_list", "Class": "bytes_list", "Period": "float_list"}
    assert context_kinds(made[0]) == context_kinds(made[1]) == expected
    # What cannot be converted is left out.
    lost = ("RA", "Label", "Period")
    assert context_kinds(made[2]) == {n: k for n, k in expected.items() if n not in lost}
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
