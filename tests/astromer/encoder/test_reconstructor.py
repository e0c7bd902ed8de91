from __future__ import annotations

import numpy as np
import pytest

from astromer.encoder.config import PHASE, EncoderConfig
from astromer.encoder.encoder import Encoder
from astromer.encoder.layers import use_weights
from astromer.encoder.reconstructor import Reconstructor


def load_public_weights(model: Reconstructor, weights: dict[str, np.ndarray], skips: bool) -> None:
    """Copies weights of the public implementation, named as in the golden files."""

    def assign(layer, name: str) -> None:
        for kind in ("kernel", "bias", "gamma", "beta"):
            if hasattr(layer, kind) and getattr(layer, kind) is not None:
                getattr(layer, kind).assign(weights[f"{name}/{kind}"])

    encoder = model.encoder
    assign(encoder.embedding, "encoder/inp_transform")
    for number, block in enumerate(encoder.blocks):
        layer = f"encoder/att_layer_{number}"
        for kind in ("kernel", "bias"):
            parts = [weights[f"{layer}/mha/w{letter}/{kind}"] for letter in "qkv"]
            getattr(block.attention.qkv, kind).assign(np.concatenate(parts, axis=-1))
        assign(block.attention.merge, f"{layer}/mha/dense")
        assign(block.ffn_in, f"{layer}/ffn/0")
        assign(block.ffn_out, f"{layer}/ffn/1")
        assign(block.attention_norm, f"{layer}/layernorm1")
        assign(block.ffn_norm, f"{layer}/layernorm2")
        if skips:
            assign(block.attention_skip, f"{layer}/reshape_leak_1")
            assign(block.ffn_skip, f"{layer}/reshape_leak_2")
    assign(model.norm, "regression/bn_0")
    assign(model.head, "regression/reg_layer")


def test_golden_astromer_v2(golden: dict[str, np.ndarray]) -> None:
    """Two layers with skip connections and the mask token at hidden inputs."""
    model = Reconstructor(Encoder("astromer_v2", 256, 4, 2))
    prefix = "wleak/"
    weights = {n[len(prefix) :]: v for n, v in golden.items() if n.startswith(prefix)}
    load_public_weights(model, weights, skips=True)
    model.encoder.mask_token.assign(float(golden["Ktok_msk_value"]))
    times, magnitudes, unseen = (golden[f"x_{n}"][..., 0] for n in ("times", "input", "mask_in"))

    arguments = (times, magnitudes, unseen < 0.5)
    outputs = model.encoder.layer_outputs(*arguments)
    for number in (1, 2):
        got = outputs[number].numpy()[:, golden["z_steps"]]
        assert got == pytest.approx(golden[f"leak2tok_z{number}"], abs=1e-4)
    assert model(*arguments).numpy() == pytest.approx(golden["leak2tok_x_pred"][..., 0], abs=1e-4)


def test_it_is_the_head_over_the_encoder(toy, inputs, architecture: str) -> None:
    model = toy.model(architecture)
    arguments = (inputs.times, inputs.magnitudes, inputs.visible)
    z = model.encoder(*arguments).numpy()
    centred = z - z.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6)
    normed = scaled * np.asarray(model.norm.gamma) + np.asarray(model.norm.beta)
    expected = (normed @ np.asarray(model.head.kernel))[..., 0] + float(model.head.bias[0])
    assert model(*arguments).numpy() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("architecture", ["astromer_v1", "astromer_v2", PHASE])
def test_folded_weights_take_the_place_of_the_layers_own(toy, inputs, architecture: str) -> None:
    model, rng = toy.model(architecture, num_layers=3), np.random.default_rng(7)
    given = {name: getattr(inputs, name) for name in ("times", "magnitudes", "visible")}
    for name in model.encoder.inputs.keys() - given.keys():
        _, steps, *more = [*model.encoder.inputs[name].shape]
        shape = (len(inputs.times), steps or inputs.times.shape[1], *more)
        given[name] = rng.uniform(0.01, 1, shape).astype(np.float32)
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable) + rng.normal(0, 0.1, variable.shape))
    expected, folded = model(**given).numpy(), model.folded_weights()
    for block in model.encoder.blocks[1:]:
        for layer in block.attention.qkv, block.attention.merge, block.ffn_in, block.ffn_out:
            layer.kernel.assign(np.full_like(layer.kernel, np.nan))
            assert folded[layer].folded == (layer not in (block.attention.merge, block.ffn_out))
    with use_weights(folded):
        assert model(**given).numpy() == pytest.approx(expected, abs=1e-5)


def test_settings_reach_the_model(architecture: str) -> None:
    config = EncoderConfig(architecture, 12, 3, 2, 20, 0.3, 40, 500.0)
    model = Reconstructor.from_settings(config, normalise=True, seed=3)
    got = model.encoder.get_config()
    for name in ("d_model", "num_heads", "num_layers", "ffn_dim", "dropout", "pe_base"):
        assert got[name] == getattr(config, name), name
    assert (model.window_size, model.normalise, model.encoder.seed) == (40, True, 3)
    assert len(model.encoder.blocks) == 2


def test_weights_exist_at_once_and_follow_the_seed() -> None:
    config = EncoderConfig(d_model=8, num_heads=2, num_layers=1)

    def weights(seed: int) -> list[np.ndarray]:
        return [np.asarray(v) for v in Reconstructor.from_settings(config, seed=seed).variables]

    assert len(weights(1)) > 10
    assert all((a == b).all() for a, b in zip(weights(1), weights(1)))
    assert any((a != b).any() for a, b in zip(weights(1), weights(2)))


def test_every_weight_is_trainable_and_reached_by_the_gradient(
    toy, inputs, architecture: str
) -> None:
    import tensorflow as tf

    model = toy.model(architecture)
    with tf.GradientTape() as tape:
        predicted = model(inputs.times, inputs.magnitudes, inputs.visible)
        loss = tf.reduce_sum(tf.square(predicted[inputs.hidden]))
    assert len(model.trainable_variables) == len(model.variables)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    for variable, gradient in zip(model.trainable_variables, gradients):
        assert gradient is not None, variable.path
        assert np.abs(gradient.numpy()).max() > 1e-7, variable.path


def arranged(inputs, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Order of the steps with visible ones first, and which ones come from ``first`` on."""
    order = np.argsort(~inputs.visible, axis=1, kind="stable")
    return order, order[:, first:]


@pytest.mark.parametrize("first", [0, 4, 19])
def test_scored_predictions_and_their_gradient_are_those_of_the_whole(
    toy, inputs, architecture: str, first: int
) -> None:
    import tensorflow as tf

    model = toy.model(architecture, dropout=0.0)
    order, asked = arranged(inputs, first)
    given = [
        np.take_along_axis(array, order, axis=1)
        for array in (inputs.times, inputs.magnitudes, inputs.visible)
    ]
    upstream = np.random.default_rng(0).normal(size=asked.shape).astype(np.float32)
    found = []
    for predict in (
        lambda: model.predict_scored(*given, first, 20)[0],
        lambda: tf.gather(
            model(inputs.times, inputs.magnitudes, inputs.visible, training=True),
            asked,
            batch_dims=1,
        ),
    ):
        with tf.GradientTape() as tape:
            predicted = predict()
        variables = [v.value for v in model.trainable_variables]
        found.append([predicted, *tape.gradient(predicted, variables, upstream)])
    for name, one, other in zip(
        ["predicted", *(v.path for v in model.trainable_variables)], *found, strict=True
    ):
        assert np.asarray(one) == pytest.approx(np.asarray(other), abs=2e-4), name


def test_products_in_bfloat16_come_close_and_hide_what_is_hidden(
    toy, inputs, architecture: str
) -> None:
    import tensorflow as tf

    model = toy.model(architecture, dropout=0.0)
    order, _ = arranged(inputs, 4)
    times, magnitudes, visible = (
        np.take_along_axis(array, order, axis=1)
        for array in (inputs.times, inputs.magnitudes, inputs.visible)
    )
    exact = model.predict_scored(times, magnitudes, visible, 4, 20)[0].numpy()
    got = model.predict_scored(times, magnitudes, visible, 4, 20, dtype=tf.bfloat16)[0]
    assert got.dtype == tf.float32
    assert (got.numpy() != exact).any()
    assert got.numpy() == pytest.approx(exact, abs=0.15)
    planted = np.where(visible, magnitudes, np.float32(np.nan))
    again = model.predict_scored(times, planted, visible, 4, 20, dtype=tf.bfloat16)[0]
    assert again.numpy().tobytes() == got.numpy().tobytes()
