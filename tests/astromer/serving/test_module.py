from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from astromer.records.encoding import encode_light_curve
from astromer.serving.graph_input import STATUS_OK, STATUS_TOO_SHORT
from astromer.serving.signatures import ServingModule
from astromer.windows.batches import assemble, sequential_windows
from astromer.windows.masking import nothing_probed

LENGTHS = (5, 200, 201, 400, 1500, 4, 1, 37)


@pytest.fixture(scope="module", params=["astromer_v1", "astromer_v2 normalised"])
def model(request: pytest.FixtureRequest, toy):
    architecture, *normalise = request.param.split()
    return toy.model(architecture, window_size=200, num_layers=1, normalise=bool(normalise))


@pytest.fixture(scope="module")
def module(model) -> ServingModule:
    return ServingModule(model)


@pytest.fixture(scope="module")
def curves(toy):
    return toy.curves(LENGTHS)


def padded(curves, width: int | None = None, fill: float = 0.0) -> dict[str, np.ndarray]:
    width = width or int(curves.lengths.max())
    arrays: dict[str, Any] = {}
    for name, dtype in (("mjd", np.float64), ("mag", np.float32), ("errmag", np.float32)):
        arrays[name] = np.full((len(curves), width), fill, dtype)
        for row in range(len(curves)):
            arrays[name][row, : curves.lengths[row]] = getattr(curves[row], name)
    return {**arrays, "length": curves.lengths}


def embed(module: ServingModule, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    outputs = module.embed_pooled(**{k: tf.constant(v) for k, v in arrays.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert set(one) == set(other)
    for name in one:
        assert other[name] == pytest.approx(one[name], abs=2e-5), name


def test_embeddings_are_pooled_over_the_windows_of_each_curve(model, module, curves) -> None:
    windows = sequential_windows(curves.offsets, 200)
    batch = assemble(
        curves, windows, nothing_probed(windows.length, 200), normalise=model.normalise
    )
    z = model.encoder(batch.times, batch.magnitudes, batch.probing.visible).numpy()
    got = embed(module, padded(curves))
    for row, length in enumerate(LENGTHS):
        steps = z[windows.curve == row][batch.probing.observed[windows.curve == row]]
        assert len(steps) == length
        assert got["num_observations"][row] == length
        assert got["num_windows"][row] == -(-length // 200)
        if length < 5:
            assert got["status"][row] == STATUS_TOO_SHORT
            assert (got["mean"][row] == 0).all()
            assert (got["max"][row] == 0).all()
            continue
        assert got["status"][row] == STATUS_OK
        assert got["mean"][row] == pytest.approx(steps.mean(axis=0), abs=1e-5)
        assert got["max"][row] == pytest.approx(steps.max(axis=0), abs=1e-5)


@pytest.mark.parametrize("fill", [np.nan, -1.0, 1e30, np.inf])
def test_padding_is_never_read(module, curves, fill: float) -> None:
    one, other = (embed(module, padded(curves, 1600, f)) for f in (0.0, fill))
    for name in one:
        assert one[name].tobytes() == other[name].tobytes(), name


def test_the_order_of_time_and_unusable_steps_do_not_matter(toy, module) -> None:
    curves = toy.curves([230, 60])
    arrays = padded(curves, 300)
    reference = embed(module, arrays)
    rng = np.random.default_rng(0)
    shuffled = {name: np.zeros_like(array) for name, array in arrays.items()}
    for row, length in enumerate(curves.lengths):
        order = rng.permutation(length + 5)
        for name in ("mjd", "mag", "errmag"):
            values = np.concatenate([arrays[name][row, :length], np.full(5, 0.5)])
            if name != "mjd":
                values[length : length + 3] = [np.nan, np.inf, np.nan]
            values[length + 3] = np.nan if name == "mjd" else 0.5
            values[length + 4] = 2.0  # an errmag of a failed fit
            shuffled[name][row, : length + 5] = values[order]
        shuffled["length"][row] = length + 5
    # A NaN error is accepted: the first and third of the five have a magnitude of NaN as well.
    assert_same(reference, embed(module, shuffled))


def test_the_batch_does_not_matter(module, toy) -> None:
    curves = toy.curves([5, 200, 401, 3, 37])
    arrays = padded(curves)
    whole = embed(module, arrays)
    parts = [embed(module, {k: v[i : i + 1] for k, v in arrays.items()}) for i in range(5)]
    assert_same(whole, {k: np.concatenate([part[k] for part in parts]) for k in whole})


def test_many_windows_are_as_good_as_few(module, toy) -> None:
    """More windows than the network is given at a time."""
    curves = toy.curves([1000] * 15)
    arrays = padded(curves)
    whole = embed(module, arrays)
    last = embed(module, {k: v[-1:] for k, v in arrays.items()})
    assert_same({k: v[-1:] for k, v in whole.items()}, last)


@pytest.mark.parametrize("shape", [(0, 10), (2, 0), (0, 0)])
def test_nothing_in_nothing_out(module, shape: tuple[int, int]) -> None:
    got = embed(
        module,
        {
            "mjd": np.zeros(shape),
            "mag": np.zeros(shape, np.float32),
            "errmag": np.zeros(shape, np.float32),
            "length": np.zeros(shape[0], np.int64),
        },
    )
    assert got["mean"].shape == (shape[0], 8)
    assert (got["status"] == STATUS_TOO_SHORT).all()
    assert (got["num_windows"] == 0).all()


def test_records_give_what_arrays_give(module, curves) -> None:
    records = [
        encode_light_curve({n: getattr(c, n) for n in ("mjd", "mag", "errmag")}, {"ID": c.id})
        for c in (curves[i] for i in range(len(curves)))
    ]
    got = {k: v.numpy() for k, v in module.embed_examples(tf.constant(records)).items()}
    assert_same(embed(module, padded(curves)), got)
    nothing = module.embed_examples(tf.constant([], tf.string))
    assert nothing["mean"].shape == (0, 8)


def reconstruct(module: ServingModule, arrays: dict[str, np.ndarray], visible: np.ndarray):
    outputs = module.reconstruct(
        **{k: tf.constant(v) for k, v in arrays.items()}, visible=tf.constant(visible)
    )
    return outputs["mag"].numpy(), outputs["status"].numpy()


def test_reconstruction_is_the_model_s_prediction_in_magnitudes(model, module, toy) -> None:
    curves = toy.curves([37, 5, 3])
    visible = np.random.default_rng(1).random((3, 37)) < 0.6
    got, status = reconstruct(module, padded(curves), visible)
    assert status.tolist() == [STATUS_OK, STATUS_OK, STATUS_TOO_SHORT]
    for row, length in enumerate((37, 5)):
        curve = curves[row]
        shown = visible[row, :length]
        mag = curve.mag.astype(float)
        centre = mag[shown].mean()
        scale = mag[shown].std() if model.normalise else 1.0
        inputs = np.zeros((2, 200), np.float32)
        inputs[0, :length] = curve.mjd - curve.mjd.mean()
        inputs[1, :length] = np.where(shown, (mag - centre) / scale, 0)
        seen = np.zeros((1, 200), bool)
        seen[0, :length] = shown
        predicted = model(inputs[:1], inputs[1:], seen).numpy()[0, :length]
        assert got[row, :length] == pytest.approx(centre + scale * predicted, abs=1e-4)
    assert np.isnan(got[1, 5:]).all()


@pytest.mark.parametrize("planted", [0.0, 1e30, -5.0, np.nan, np.inf])
def test_magnitudes_planted_at_hidden_steps_change_no_bit(module, toy, planted: float) -> None:
    arrays = padded(toy.curves([230, 40]))
    visible = np.random.default_rng(1).random(arrays["mag"].shape) < 0.5
    other = {**arrays, "mag": np.where(visible, arrays["mag"], np.float32(planted))}
    one, two = (reconstruct(module, a, visible)[0] for a in (arrays, other))
    assert one.tobytes() == two.tobytes()
    assert np.isfinite(one[0]).all(), "a hidden step has no prediction"


def test_the_variables_are_tracked(model, module) -> None:
    assert len(module.variables) == len(model.variables)
    assert set(module.signatures) == {
        "serving_default",
        "embed",
        "embed_pooled",
        "embed_ragged",
        "reconstruct",
        "reconstruct_drawn",
        "encode_windows",
    }
