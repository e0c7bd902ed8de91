from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder import attention
from astromer.encoder.encoder import Encoder, positional_encoding
from astromer.encoder.order import ASTROMER_1

TIMES = np.array([[-300.25, -1.5, 0.0], [0.001, 7.0, 812.5]], np.float32)


def by_formula(time: float, d_model: int, base: float) -> list[float]:
    angles = [time * base ** (-2 * i / d_model) for i in range(d_model)]
    return [math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(angles)]


@pytest.mark.parametrize("d_model", [1, 2, 7, 8, 256])
@pytest.mark.parametrize("base", [10000.0, 1000.0, 2.0])
def test_formula(d_model: int, base: float) -> None:
    got = positional_encoding(TIMES, d_model, base).numpy()
    expected = [[by_formula(float(t), d_model, base) for t in row] for row in TIMES]
    assert got.shape == (2, 3, d_model)
    assert got.dtype == np.float32
    # An angle of 800 in float32 is known to 3e-5.
    assert got == pytest.approx(np.array(expected), abs=1e-4)


def test_base_matters() -> None:
    one, other = (positional_encoding(TIMES, 8, base).numpy() for base in (1000.0, 10000.0))
    assert np.abs(one - other).max() > 0.1


def test_golden(golden: dict[str, np.ndarray]) -> None:
    got = positional_encoding(golden["x_times"][..., 0], 256, 10000.0).numpy()
    assert got[:, golden["z_steps"]] == pytest.approx(golden["K_pe"], abs=1e-4)


PLANTED = [7.5, -1e30, float("inf"), float("nan")]


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("planted", PLANTED)
def test_values_at_hidden_steps_and_padding_change_no_output_bit(
    toy, inputs, architecture: str, planted: float, training: bool
) -> None:
    model = toy.model(architecture, dropout=0.3)
    key = tf.constant([1, 2, 0], tf.int64)

    def outputs(magnitudes: np.ndarray) -> list[bytes]:
        arguments = (inputs.times, magnitudes, inputs.visible)
        settings = {"training": training, "dropout_key": key}
        return [
            model(*arguments, **settings).numpy().tobytes(),
            *(z.numpy().tobytes() for z in model.encoder.layer_outputs(*arguments, **settings)),
        ]

    other = np.where(inputs.visible, inputs.magnitudes, np.float32(planted))
    assert outputs(inputs.magnitudes) == outputs(other)


def test_the_gradient_of_every_output_at_hidden_magnitudes_is_zero(
    toy, inputs, architecture: str
) -> None:
    model = toy.model(architecture)
    magnitudes = tf.constant(inputs.magnitudes)
    with tf.GradientTape() as tape:
        tape.watch(magnitudes)
        outputs = model(inputs.times, magnitudes, inputs.visible)
    gradient = tape.gradient(outputs, magnitudes).numpy()
    assert (gradient[~inputs.visible] == 0).all()
    assert (gradient[inputs.visible] != 0).all()


def test_finite_times_at_padding_change_no_bit_at_observed_steps(
    toy, inputs, architecture: str
) -> None:
    model = toy.model(architecture)
    moved = np.where(inputs.observed, inputs.times, np.float32(123.25))
    one, other = (
        model(t, inputs.magnitudes, inputs.visible).numpy() for t in (inputs.times, moved)
    )
    assert one[inputs.observed].tobytes() == other[inputs.observed].tobytes()


def test_visible_magnitudes_and_hidden_times_do_matter(toy, inputs, architecture: str) -> None:
    model = toy.model(architecture)
    before = model(inputs.times, inputs.magnitudes, inputs.visible).numpy()
    louder = model(inputs.times, inputs.magnitudes * 2, inputs.visible).numpy()
    moved = np.where(inputs.hidden, inputs.times + 1, inputs.times)
    elsewhere = model(moved, inputs.magnitudes, inputs.visible).numpy()
    assert (np.abs(before - louder)[inputs.hidden] > 1e-5).all()
    assert (before != elsewhere)[inputs.hidden].all()
    assert (before == elsewhere)[inputs.visible].all(), "hidden steps are keys"


def test_a_window_does_not_see_its_neighbours_in_the_batch(toy, inputs, architecture: str) -> None:
    model = toy.model(architecture)
    whole = model(inputs.times, inputs.magnitudes, inputs.visible).numpy()
    one = model(inputs.times[2:3], inputs.magnitudes[2:3], inputs.visible[2:3]).numpy()
    assert whole[2:3] == pytest.approx(one, abs=1e-5)


def test_a_window_of_padding_alone_is_finite(toy, architecture: str) -> None:
    model = toy.model(architecture)
    nothing = np.zeros((1, 20), np.float32)
    assert np.isfinite(model(nothing, nothing, nothing > 0).numpy()).all()


def test_what_a_hidden_step_shows(toy, inputs) -> None:
    """v1: zero; v2: the trainable token."""
    for architecture, shown in (("astromer_v1", 0.0), ("astromer_v2", 0.625)):
        model = toy.model(architecture)
        if architecture == "astromer_v2":
            model.encoder.mask_token.assign(shown)
        else:
            assert not hasattr(model.encoder, "mask_token")
        filled = np.where(inputs.visible, inputs.magnitudes, np.float32(shown))
        everything = np.ones_like(inputs.visible)
        got = model.encoder.embed(inputs.times, inputs.magnitudes, inputs.visible).value()
        expected = model.encoder.embed(inputs.times, filled, everything).value()
        assert got.numpy() == pytest.approx(expected.numpy(), abs=1e-6)


def test_the_mask_token_is_trained(toy, inputs) -> None:
    model = toy.model("astromer_v2")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs.times, inputs.magnitudes, inputs.visible)[inputs.hidden])
    assert any(v.path.endswith("mask_token") for v in model.trainable_variables)
    assert abs(float(tape.gradient(loss, model.encoder.mask_token.value))) > 1e-6


def test_architectures_differ_as_documented() -> None:
    def variables(architecture: str) -> dict[str, tuple[int, ...]]:
        encoder = Encoder(architecture, 8, 2, 2, name="encoder")
        encoder.build()
        return {v.path: tuple(v.shape) for v in encoder.variables}

    one, two = variables("astromer_v1"), variables("astromer_v2")
    assert one["encoder/block_1/ffn_in/kernel"] == (8, 128)
    assert two["encoder/block_1/ffn_in/kernel"] == (8, 256)
    extra = {name.split("/", 1)[1].rsplit("/", 1)[0] for name in set(two) - set(one)}
    skips = {f"block_{i}/{skip}" for i in (0, 1) for skip in ("attention_skip", "ffn_skip")}
    assert {name for name in extra if "skip" in name} == skips
    assert [name for name in two if name.endswith("mask_token")]
    assert not set(one) - set(two)


def test_documented_sizes() -> None:
    encoder = Encoder()
    assert (encoder.architecture, encoder.d_model, encoder.num_heads) == ("astromer_v1", 256, 4)
    assert (encoder.num_layers, encoder.ffn_dim, encoder.dropout) == (4, 128, 0.1)
    assert Encoder("astromer_v2").ffn_dim == 256
    assert Encoder("astromer_v2", ffn_dim=64).ffn_dim == 64


def test_the_base_of_the_positional_encoding_is_an_option_that_works(inputs) -> None:
    one, other = (Encoder(d_model=8, num_layers=1, pe_base=b, seed=1) for b in (10000.0, 50.0))
    for encoder in (one, other):
        encoder.build()
    arguments = (inputs.times, inputs.magnitudes, inputs.visible)
    assert np.abs(one(*arguments).numpy() - other(*arguments).numpy()).max() > 0.1


def test_seeds_fix_the_weights(architecture: str) -> None:
    def weights(seed: int | None) -> list[np.ndarray]:
        encoder = Encoder(architecture, 8, 2, 2, seed=seed)
        encoder.build()
        return [np.asarray(v) for v in encoder.variables]

    assert all((a == b).all() for a, b in zip(weights(4), weights(4)))
    assert any((a != b).any() for a, b in zip(weights(4), weights(5)))
    blocks = [w for w in weights(4) if w.shape == (8, 24)]
    assert len(blocks) == 2
    assert (blocks[0] != blocks[1]).any()


def test_unknown_architectures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be one of .*astromer_v2.*Received: 'astromer_v3'"):
        Encoder("astromer_v3")


def test_config_rebuilds_the_encoder(architecture: str) -> None:
    encoder = Encoder(architecture, 12, 3, 2, 20, 0.3, 500.0, seed=8, name="mine")
    rebuilt = Encoder.from_config(encoder.get_config())
    assert rebuilt.get_config() == encoder.get_config()


def test_attention_is_that_of_the_call_in_the_caller_s_order(
    toy, inputs, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = toy.model(architecture).encoder
    arguments = (inputs.times, inputs.magnitudes, inputs.visible)
    real, seen = attention.attend, []

    def watched(query, key, value, bias):
        output = real(query, key, value, bias)
        seen.append((value.numpy(), output.numpy()))
        return output

    monkeypatch.setattr(attention, "attend", watched)
    encoder(*arguments)
    found = [weights.numpy() for weights in encoder.attention(*arguments)]

    assert len(found) == 2
    order = np.argsort(~inputs.visible, axis=1, kind="stable")
    for weights, (value, output) in zip(found, seen):
        keys = value.shape[2]
        for row, arranged in enumerate(order):
            shown = weights[row][:, arranged][:, :, arranged[:keys]]
            assert shown @ value[row] == pytest.approx(output[row], abs=1e-5)
        assert weights.sum(axis=-1) == pytest.approx(1, abs=1e-5)
        blocked = np.broadcast_to(~inputs.visible[:, None, None, :], weights.shape)
        assert (weights[blocked] == 0).all()


def test_attention_of_public_weights_goes_to_hidden_steps_too(inputs) -> None:
    encoder = Encoder(d_model=8, num_heads=2, num_layers=1, quirks=ASTROMER_1, seed=1)
    encoder.build()
    [weights] = encoder.attention(inputs.times, inputs.magnitudes, inputs.visible)
    assert weights.shape == (5, 2, 20, 20)
    assert weights.numpy().sum(axis=-1) == pytest.approx(1, abs=1e-5)
    assert (weights.numpy().transpose(0, 3, 1, 2)[inputs.hidden] > 0).all()
