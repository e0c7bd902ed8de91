from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from astromer.records.codec import parse_records
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
