"""Windows in, embeddings out: the signature for loaders that take tensors only."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.order import ASTROMER_1
from astromer.serving.signatures import ServingModule, window_signature
from astromer.windows.batches import Batch, assemble, sequential_windows
from astromer.windows.masking import nothing_probed

WINDOW = 20
LENGTHS = (20, 5, 13, 1)


@pytest.fixture(scope="module", params=["astromer_v1", "astromer_v2 normalised", "quirks"])
def model(request: pytest.FixtureRequest, toy):
    if request.param == "quirks":
        model = toy.model("astromer_v1", num_layers=1)
        model.encoder.quirks = ASTROMER_1
        return model
    architecture, *normalise = request.param.split()
    return toy.model(architecture, num_layers=1, normalise=bool(normalise))


@pytest.fixture(scope="module")
def curves(toy):
    return toy.curves(LENGTHS)


def windows_of(curves, *, normalise: bool = False) -> Batch:
    windows = sequential_windows(curves.offsets, WINDOW)
    return assemble(curves, windows, nothing_probed(windows.length, WINDOW), normalise=normalise)


def arguments(batch: Batch) -> dict[str, np.ndarray]:
    observed = batch.probing.observed.astype(np.float32)
    return {
        "input": batch.magnitudes[..., None],
        "times": batch.times[..., None],
        "mask_in": observed[..., None],
    }


def ask(function, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        k: v.numpy() for k, v in function(**{k: tf.constant(v) for k, v in feed.items()}).items()
    }


def test_it_is_the_encoder_pooled_over_valid_steps(model, curves) -> None:
    got = ask(window_signature(model), arguments(windows_of(curves)))
    batch = windows_of(curves, normalise=model.normalise)
    z = model.encoder(batch.times, batch.magnitudes, batch.probing.observed).numpy()
    for row, length in enumerate(LENGTHS):
        assert got["sequence"][row, :length] == pytest.approx(z[row, :length], abs=1e-5)
        assert (got["sequence"][row, length:] == 0).all()
        assert got["mean"][row] == pytest.approx(z[row, :length].mean(axis=0), abs=1e-5)
        assert got["max"][row] == pytest.approx(z[row, :length].max(axis=0), abs=1e-5)


def test_it_answers_as_the_signature_for_raw_curves_does(model, curves) -> None:
    module = ServingModule(model)
    got = ask(module.signatures["encode_windows"], arguments(windows_of(curves)))
    for row, length in enumerate(LENGTHS[:-1]):  # the last one is too short to be embedded
        curve = curves[row]
        raw = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
        feed = {name: values[None] for name, values in raw.items()}
        expected = ask(module.embed_curves, {**feed, "length": np.array([length])})
        assert got["mean"][row] == pytest.approx(expected["mean"][0], abs=1e-5)
        assert got["max"][row] == pytest.approx(expected["max"][0], abs=1e-5)


@pytest.mark.parametrize("fill", [np.nan, np.inf, -1e30])
def test_padding_is_never_read(model, curves, fill: float) -> None:
    function = window_signature(model)
    feed = arguments(windows_of(curves))
    expected = ask(function, feed)
    padding = feed["mask_in"] == 0
    filled = {name: np.where(padding, np.float32(fill), feed[name]) for name in ("input", "times")}
    got = ask(function, {**feed, **filled})
    for name, values in expected.items():
        assert (got[name] == values).all(), name


def test_a_window_without_a_valid_step_is_zeros(model, curves) -> None:
    feed = arguments(windows_of(curves))
    feed["mask_in"][1] = 0
    got = ask(window_signature(model), feed)
    for values in got.values():
        assert (values[1] == 0).all()
        assert np.isfinite(values).all()
