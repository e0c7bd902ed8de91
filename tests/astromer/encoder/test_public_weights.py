"""Public weights: golden vectors of the public code, and refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from astromer.encoder.encoder import Encoder
from astromer.encoder.order import ASTROMER_1, ASTROMER_2, Quirks
from astromer.encoder.public_weights import assign, shape_of
from astromer.encoder.reconstructor import Reconstructor
from astromer.system.errors import ModelError


def load(weights: dict[str, np.ndarray], quirks: Quirks | None) -> Reconstructor:
    model = Reconstructor(Encoder(**shape_of(weights), num_heads=4, quirks=quirks))
    assign(model, weights)
    return model


def named(golden, prefix: str) -> dict[str, np.ndarray]:
    return {n.removeprefix(prefix): golden[n] for n in golden.files if n.startswith(prefix)}


@pytest.fixture(scope="module")
def astromer1(shared):
    return np.load(shared / "golden" / "astromer1_macho.npz")


@pytest.fixture(scope="module")
def astromer2(shared):
    return np.load(shared / "golden" / "astromer2_random.npz")


@pytest.mark.parametrize("run", ["A", "B"])
def test_astromer_1_as_published(astromer1, run):
    model = load(named(astromer1, "w/"), ASTROMER_1)
    names = ("input", "times", "mask_in", "mask_out", "output")
    x, times, unseen, scored, true = (astromer1[f"{run}_{name}"][..., 0] for name in names)
    layers = model.encoder.layer_outputs(times, x, unseen < 0.5)
    predicted = model(times, x, unseen < 0.5).numpy()

    assert np.abs(predicted - astromer1[f"{run}_x_pred"][..., 0]).max() < 5e-4
    for number, limit in ((1, 2e-4), (2, 5e-4)):
        ours = layers[number].numpy()[:, astromer1["z_steps"]]
        difference = np.abs(ours - astromer1[f"{run}_z{number}"])
        assert np.quantile(difference, 0.999) < limit
        assert difference.max() < 5e-3
    per_window = np.sum(scored * (true - predicted) ** 2, axis=1) / scored.sum(axis=1)
    np.testing.assert_allclose(per_window, astromer1[f"{run}_mse_per_window"], atol=1e-5)
    assert np.sqrt(per_window.mean()) == pytest.approx(float(astromer1[f"{run}_loss"]), abs=1e-5)
    mean = np.sum(scored * true, axis=1, keepdims=True) / scored.sum(axis=1, keepdims=True)
    r2 = 1 - np.sum(scored * (true - predicted) ** 2) / np.sum(scored * (true - mean) ** 2)
    assert r2 == pytest.approx(float(astromer1[f"{run}_r2"]), abs=1e-5)


@pytest.mark.parametrize("run", ["K", "K100", "leak2", "leak2tok"])
def test_astromer_2_as_published(astromer2, run):
    weights = named(astromer2, "wleak/" if run.startswith("leak2") else "w/")
    quirks: Quirks | None = ASTROMER_2
    if run == "K100":
        quirks = dataclasses.replace(ASTROMER_2, attention_bias=-100.0)
    if run == "leak2tok":  # the one run in which hidden values are really hidden: as ours
        weights, quirks = {**weights, "msk_token": astromer2["Ktok_msk_value"]}, None
    model = load(weights, quirks)
    times, x, unseen = (astromer2[f"x_{name}"][..., 0] for name in ("times", "input", "mask_in"))
    layers = model.encoder.layer_outputs(times, x, unseen < 0.5)
    predicted = model(times, x, unseen < 0.5).numpy()

    assert np.abs(predicted - astromer2[f"{run}_x_pred"][..., 0]).max() < 1e-4
    for number, layer in enumerate(layers):
        if f"{run}_z{number}" in astromer2.files:
            ours = layer.numpy()[:, astromer2["z_steps"]]
            assert np.abs(ours - astromer2[f"{run}_z{number}"]).max() < 1e-4


def public(model: Reconstructor) -> dict[str, np.ndarray]:
    """A tiny set of weights under their public names."""
    rng = np.random.default_rng(0)
    width, ffn = model.encoder.d_model, model.encoder.ffn_dim
    shapes = {"encoder/inp_transform": (1, width), "regression/reg_layer": (width, 1)}
    for part in ("wq", "wk", "wv", "dense"):
        shapes[f"encoder/att_layer_0/mha/{part}"] = (width, width)
    shapes |= {"encoder/att_layer_0/ffn/0": (width, ffn), "encoder/att_layer_0/ffn/1": (ffn, width)}
    weights = {}
    for name, (rows, columns) in shapes.items():
        weights[f"{name}/kernel"] = rng.normal(size=(rows, columns)).astype(np.float32)
        weights[f"{name}/bias"] = rng.normal(size=columns).astype(np.float32)
    norms = ("encoder/att_layer_0/layernorm1", "encoder/att_layer_0/layernorm2", "regression/bn_0")
    for name in norms:
        weights[f"{name}/gamma"] = rng.normal(size=width).astype(np.float32)
        weights[f"{name}/beta"] = rng.normal(size=width).astype(np.float32)
    return weights


@pytest.fixture
def small():
    model = Reconstructor(Encoder("astromer_v1", 8, 2, 1, 6))
    return model, public(model)


def test_every_variable_is_set(small):
    model, weights = small
    assert list(shape_of(weights).values()) == ["astromer_v1", 8, 1, 6]
    assign(model, weights)
    ours = np.sort(np.concatenate([np.ravel(v) for v in model.variables]))
    theirs = np.sort(np.concatenate([np.ravel(v) for v in weights.values()]))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda w: w.pop("encoder/att_layer_0/mha/wk/bias"), "mha/wk/bias is missing"),
        (lambda w: w.update({"encoder/spare": np.zeros(3)}), "encoder/spare is not expected"),
        (lambda w: w.update({"regression/bn_0/beta": np.zeros(3)}), "has shape (3,), not (8,)"),
        (lambda w: w.pop("encoder/inp_transform/kernel"), "must have one of the variables"),
    ],
)
def test_wrong_or_partial_weights_are_named(small, change, told):
    model, weights = small
    change(weights)
    before = [np.array(v) for v in model.variables]
    with pytest.raises(ModelError) as error:
        shape_of(weights)
        assign(model, weights)
    assert told in str(error.value)
    for variable, value in zip(model.variables, before):
        np.testing.assert_array_equal(np.array(variable), value)
