"""All forms of input give the same, step by step and drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.order import ASTROMER_1
from astromer.light_curves import LightCurves
from astromer.serving import network as window_network
from astromer.serving.signatures import ServingModule

LENGTHS = (5, 60, 3, 21, 20, 37)


@pytest.fixture(scope="module")
def module(toy) -> ServingModule:
    return ServingModule(toy.model("astromer_v1", num_layers=1))


@pytest.fixture(scope="module")
def curves(toy) -> LightCurves:
    return toy.curves(LENGTHS)


def flat(curves: LightCurves) -> dict[str, tf.Tensor]:
    series = {name: tf.constant(getattr(curves, name)) for name in ("mjd", "mag", "errmag")}
    return {**series, "length": tf.constant(curves.lengths)}


def padded(curves: LightCurves, width: int = 60) -> dict[str, tf.Tensor]:
    arrays = {
        name: tf.RaggedTensor.from_row_lengths(getattr(curves, name), curves.lengths).to_tensor(
            0, shape=[None, width]
        )
        for name in ("mjd", "mag", "errmag")
    }
    return {**arrays, "length": tf.constant(curves.lengths)}


def reversed_rows(curves: LightCurves) -> LightCurves:
    return LightCurves.from_curves(curves[i] for i in reversed(range(len(curves))))


def same(one: dict[str, tf.Tensor], other: dict[str, tf.Tensor]) -> None:
    for name in one:
        assert other[name].numpy() == pytest.approx(one[name].numpy(), abs=1e-5), name


def test_every_form_gives_the_same(module, curves) -> None:
    reference = module.embed_pooled(**padded(curves))
    same(reference, module.embed_pooled(**padded(curves, 90)))
    same(reference, module.embed_ragged(**flat(curves)))
    with_steps = module.embed_curves(**padded(curves))
    same(reference, with_steps)
    for dtype in (tf.float32, tf.float64):
        rows = [
            tf.RaggedTensor.from_row_lengths(tf.cast(getattr(curves, name), kind), curves.lengths)
            for name, kind in (("mjd", tf.float64), ("mag", dtype), ("errmag", dtype))
        ]
        same(reference, module.embed(*rows))
    backwards = module.embed_ragged(**flat(reversed_rows(curves)))
    same(reference, {name: values[::-1] for name, values in backwards.items()})


def test_public_weights_read_the_same_padding_in_any_batch(toy, curves) -> None:
    model = toy.model("astromer_v1", num_layers=1)
    plain = ServingModule(model).embed_ragged(**flat(curves))["mean"].numpy()
    model.encoder.quirks = ASTROMER_1
    module = ServingModule(model)
    reference = module.embed_ragged(**flat(curves))
    assert np.abs(reference["mean"].numpy() - plain).max() > 1e-3
    short = LightCurves.from_curves([curves[0]])
    same(
        {name: values[:1] for name, values in reference.items()}, module.embed_ragged(**flat(short))
    )


def test_the_sequence_is_aligned_with_the_steps_of_the_input(module, curves) -> None:
    arrays = {name: values.numpy() for name, values in padded(curves, 70).items()}
    got = {k: v.numpy() for k, v in module.embed_curves(**arrays).items()}
    assert got["sequence"].shape == (6, 70, 8)
    for row, length in enumerate(LENGTHS):
        real = got["sequence"][row, :length]
        assert not got["sequence"][row, length:].any()
        if length < 5:
            assert not real.any()
            continue
        assert real.any(axis=1).all()
        assert real.mean(axis=0) == pytest.approx(got["mean"][row], abs=1e-5)
        assert real.max(axis=0) == pytest.approx(got["max"][row], abs=1e-5)
    # Steps in another order carry their vectors along; unusable ones have none.
    order = np.random.default_rng(0).permutation(60)
    shuffled = {k: v[1:2] if k == "length" else v[1:2, :60][:, order] for k, v in arrays.items()}
    moved = module.embed_curves(**shuffled)["sequence"].numpy()[0]
    assert moved == pytest.approx(got["sequence"][1, order], abs=1e-5)
    shuffled["mag"][0, 7] = np.nan
    moved = module.embed_curves(**shuffled)["sequence"].numpy()[0]
    assert not moved[7].any()
    assert moved[8].any()


def test_chunks_of_any_size_give_the_same(toy, curves, monkeypatch: pytest.MonkeyPatch) -> None:
    model = toy.model(num_layers=1)
    reference = ServingModule(model).embed_curves(**padded(curves))
    two_windows = 45 * model.encoder.d_model
    monkeypatch.setattr(window_network, "NUMBERS_PER_CHUNK", two_windows)
    same(reference, ServingModule(model).embed_curves(**padded(curves)))


def drawn(module, arrays: dict[str, tf.Tensor], seed: int = 3, probed: float = 0.7):
    got = module.reconstruct_drawn(**arrays, seed=tf.constant(seed, tf.int64), probed=probed)
    return {name: values.numpy() for name, values in got.items()}


def test_the_draw_depends_on_seed_and_light_curve_alone(module, curves) -> None:
    one = drawn(module, padded(curves))
    assert one["hidden"].sum(axis=1).tolist() == [3, 42, 0, 14, 14, 14 + 11]  # of 20 and of 17
    wide = drawn(module, padded(curves, 90))
    assert (wide["hidden"][:, :60] == one["hidden"]).all()
    assert not wide["hidden"][:, 60:].any()
    alone = drawn(module, {name: values[1:2] for name, values in padded(curves).items()})
    assert (alone["hidden"][0] == one["hidden"][1]).all()
    assert alone["mag"][0] == pytest.approx(one["mag"][1], abs=1e-4)
    assert (drawn(module, padded(curves))["hidden"] == one["hidden"]).all()
    assert (drawn(module, padded(curves), seed=4)["hidden"] != one["hidden"]).any()
    assert not drawn(module, padded(curves), probed=0.0)["hidden"].any()
    everything = drawn(module, padded(curves), probed=1.0)
    assert everything["hidden"].sum() == sum(LENGTHS) - 3
    assert np.isnan(everything["mag"]).all(), "nothing was visible"


def test_what_is_drawn_is_really_hidden(module, curves) -> None:
    arrays = padded(curves)
    one = drawn(module, arrays)
    planted = np.where(one["hidden"], np.float32(19.0), arrays["mag"])
    other = drawn(module, {**arrays, "mag": tf.constant(planted)})
    assert (other["hidden"] == one["hidden"]).all()
    assert other["mag"].tobytes() == one["mag"].tobytes()
    given = module.reconstruct(**arrays, visible=tf.constant(~one["hidden"]))
    assert given["mag"].numpy() == pytest.approx(one["mag"], abs=1e-5, nan_ok=True)
    assert (given["hidden"].numpy() == one["hidden"]).all()
    seen = ~one["hidden"] & np.isfinite(one["mag"])
    planted = np.where(seen, arrays["mag"] + np.float32(1.0), arrays["mag"])
    assert drawn(module, {**arrays, "mag": tf.constant(planted)})["mag"].tobytes() != (
        one["mag"].tobytes()
    )


def test_draws_differ_between_light_curves_and_are_even(module, toy) -> None:
    hidden = drawn(module, padded(toy.curves([20] * 400), 20), probed=0.5)["hidden"]
    assert (hidden.sum(axis=1) == 10).all()
    assert len({row.tobytes() for row in hidden}) > 390
    # 400 draws of one half: five standard deviations are 0.125.
    assert hidden.mean(axis=0) == pytest.approx(np.full(20, 0.5), abs=0.125)


def test_a_fraction_outside_its_range_is_an_error(module, curves) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"probed must be in \[0, 1\]"):
        drawn(module, padded(curves), probed=1.5)
