"""Bad light curves get a status of their own, and harm no other."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.records.encoding import encode_light_curve
from astromer.serving.graph_input import (
    STATUS_OK,
    STATUS_TOO_SHORT,
    STATUS_UNEQUAL,
    STATUS_UNREADABLE,
)
from astromer.serving.signatures import ServingModule


@pytest.fixture(scope="module")
def module(toy) -> ServingModule:
    return ServingModule(toy.model(window_size=20, num_layers=1))


def record(**series: object) -> bytes:
    """A SequenceExample of any lists: float arrays, or lists of int or bytes."""
    example = tf.train.SequenceExample()
    for name, values in series.items():
        feature = example.feature_lists.feature_list[name].feature.add()
        if isinstance(values, np.ndarray):
            feature.float_list.value.extend(values)
        elif values and isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        else:
            feature.int64_list.value.extend(values)
    return example.SerializeToString()


def good(toy, length: int = 30) -> bytes:
    curve = toy.curves([length])[0]
    series = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
    return encode_light_curve(series, {"ID": "a"})


def test_each_bad_record_gets_its_status(module, toy) -> None:
    t, m, e = np.arange(58000.0, 58030.0), np.full(30, 15.0), np.full(30, 0.1)
    nan = np.full(30, np.nan)
    cases = [
        (record(mjd=t, mag=m, errmag=e), STATUS_OK),
        (record(mjd=t, mag=m), STATUS_OK),  # errors unknown
        (record(mjd=t, mag=m, errmag=e[:0]), STATUS_OK),
        (record(mjd=t, mag=m, errmag=nan), STATUS_OK),
        (record(mjd=t, mag=nan, errmag=e), STATUS_TOO_SHORT),
        (record(mjd=t[:4], mag=m[:4], errmag=e[:4]), STATUS_TOO_SHORT),
        (record(mjd=t[:0], mag=m[:0], errmag=e[:0]), STATUS_TOO_SHORT),
        (record(mjd=t, mag=m[:29], errmag=e), STATUS_UNEQUAL),
        (record(mjd=t, mag=m, errmag=e[:3]), STATUS_UNEQUAL),
        (record(mjd=t, errmag=e), STATUS_UNREADABLE),
        (record(mag=m, errmag=e), STATUS_UNREADABLE),
        (record(mjd=t, mag=[15] * 30, errmag=e), STATUS_UNREADABLE),
        (record(mjd=t, mag=m, errmag=[b"low"]), STATUS_UNREADABLE),
        (b"", STATUS_UNREADABLE),
        (b"not a record at all", STATUS_UNREADABLE),
        (good(toy)[:-7], STATUS_UNREADABLE),
        (tf.train.Example().SerializeToString(), STATUS_UNREADABLE),
        (good(toy), STATUS_OK),
    ]
    got = module.embed_examples(tf.constant([example for example, _ in cases]))
    assert got["status"].numpy().tolist() == [status for _, status in cases]
    alone = module.embed_examples(tf.constant([cases[-1][0]]))
    for name in ("mean", "max"):
        values = got[name].numpy()
        assert np.isfinite(values).all()
        assert values[-1] == pytest.approx(alone[name].numpy()[0], abs=1e-5)
        for row, (_, status) in enumerate(cases):
            assert values[row].any() == (status == STATUS_OK), row
    only_bad = module.embed_examples(tf.constant([b"not a record at all"]))
    assert only_bad["status"].numpy().tolist() == [STATUS_UNREADABLE]


def padded(toy) -> dict[str, tf.Tensor]:
    curves = toy.curves([30, 30])
    return {
        name: tf.constant(getattr(curves, name).reshape(2, 30)) for name in ("mjd", "mag", "errmag")
    }


def test_a_length_beyond_the_arrays_is_told(module, toy) -> None:
    arrays = padded(toy)
    got = module.embed_pooled(**arrays, length=tf.constant([31, 30], tf.int64))
    assert got["status"].numpy().tolist() == [STATUS_UNEQUAL, STATUS_OK]
    got = module.embed_pooled(**arrays, length=tf.constant([-1, 0], tf.int64))
    assert got["status"].numpy().tolist() == [STATUS_UNEQUAL, STATUS_TOO_SHORT]


def test_ragged_rows_of_unequal_length_are_told(module) -> None:
    mjd = tf.ragged.constant([[58000.0 + i for i in range(9)]] * 3, tf.float64)
    mag = tf.ragged.constant([[15.0] * 9, [15.0] * 8, [15.0] * 9])
    errmag = tf.ragged.constant([[], [0.1] * 9, [0.1] * 9])
    got = module.embed(mjd, mag, errmag)
    assert got["status"].numpy().tolist() == [STATUS_OK, STATUS_UNEQUAL, STATUS_OK]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"mag": np.zeros((2, 1), np.float32)}, "mag must have the shape of mjd"),
        ({"errmag": np.zeros((1, 30), np.float32)}, "errmag must have the shape of mjd"),
        ({"length": np.array([30])}, "one value for each row"),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_an_error(module, toy, change, rule) -> None:
    arguments = {**padded(toy), "length": tf.constant([30, 30], tf.int64)}
    with pytest.raises(tf.errors.InvalidArgumentError, match=rule):
        module.embed_pooled(**{**arguments, **{k: tf.constant(v) for k, v in change.items()}})


@pytest.mark.parametrize(
    ("length", "rule"), [([30, 29], "add up"), ([30, 31], "add up"), ([61, -1], "negative")]
)
def test_lengths_that_do_not_add_up_are_an_error(module, toy, length, rule) -> None:
    flat = {name: tf.reshape(values, [-1]) for name, values in padded(toy).items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=rule):
        module.embed_ragged(**flat, length=tf.constant(length, tf.int64))
