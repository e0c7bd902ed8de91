"""Hostile requests are refused, or told by status, and the next one is answered."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import astromer
from astromer.records.encoding import encode_light_curve
from astromer.serving.config import ServingConfig
from astromer.serving.export import export_saved_model
from astromer.serving.graph_input import STATUS_OK, STATUS_TOO_LONG, STATUS_TOO_SHORT
from astromer.serving.saved_model import read_config
from astromer.system.errors import LightCurveError, UsageError

LIMITS = ServingConfig(
    serve_max_observations=100,
    serve_max_batch=8,
    serve_max_steps=400,
    serve_max_sequence=800 * 8,
    serve_max_window_steps=60,
)
ENOUGH, REFUSED = tf.constant([30], tf.int64), tf.errors.InvalidArgumentError


@pytest.fixture(scope="module")
def pushed(toy, tmp_path_factory: pytest.TempPathFactory):
    """A pushed model with small limits, windows of 20 and vectors of 8."""
    folder = tmp_path_factory.mktemp("limited") / "1"
    return export_saved_model(toy.model(window_size=20, num_layers=1), folder, serving=LIMITS)


@pytest.fixture(scope="module")
def ask(pushed):
    """Its signatures as a model server has them, in one session."""
    graph = tf.Graph()
    with graph.as_default():
        session = tf.compat.v1.Session(graph=graph)
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(pushed))

    def run(name: str, **inputs: object) -> dict[str, np.ndarray]:
        signature = loaded.signature_def[name]
        feed = {signature.inputs[key].name: value for key, value in inputs.items()}
        return session.run({k: v.name for k, v in signature.outputs.items()}, feed)

    yield run
    session.close()


def flat(toy, lengths: list[int]) -> dict[str, np.ndarray]:
    curves = toy.curves(lengths)
    series = {name: getattr(curves, name) for name in ("mjd", "mag", "errmag")}
    return {**series, "length": np.array(lengths)}


def padded(batch: int, steps: int, length: int) -> dict[str, np.ndarray]:
    mjd = np.tile(58000.0 + np.arange(steps), (batch, 1))
    mag = np.full((batch, steps), 15, np.float32)
    return {"mjd": mjd, "mag": mag, "errmag": mag / 1000, "length": np.full(batch, length)}


def records(toy, lengths: list[int]) -> np.ndarray:
    curves = toy.curves(lengths)
    names = ("mjd", "mag", "errmag")
    return np.array(
        [
            encode_light_curve({name: getattr(curve, name) for name in names}, {"ID": "a"})
            for curve in (curves[row] for row in range(len(curves)))
        ],
        object,
    )


def test_one_light_curve_that_is_too_long_harms_no_other(ask, toy) -> None:
    alone = ask("embed_ragged", **flat(toy, [100, 30]))
    assert alone["status"].tolist() == [STATUS_OK, STATUS_OK]  # 100 is within
    arrays = flat(toy, [101, 30])
    for got in (
        ask("embed_ragged", **arrays),
        ask("serving_default", examples=records(toy, [101, 30])),
        ask("embed_ragged", **flat(toy, [5000, 30])),  # more than a request may hold, but dropped
    ):
        assert got["status"].tolist() == [STATUS_TOO_LONG, STATUS_OK]
        assert not got["mean"][0].any()
        assert got["mean"][1].any()
        assert got["num_observations"].tolist() == [0, 30]
    rows = padded(2, 120, 101)
    rows["length"][1] = 30
    assert ask("embed_pooled", **rows)["status"].tolist() == [STATUS_TOO_LONG, STATUS_OK]
    got = ask("reconstruct_drawn", **rows, seed=1, probed=0.5)
    assert got["status"].tolist() == [STATUS_TOO_LONG, STATUS_OK]
    assert np.isnan(got["mag"][0]).all()
    assert np.isfinite(got["mag"][1, :30]).all()


@pytest.mark.parametrize(
    ("signature", "request_of", "told"),
    [
        ("embed_ragged", lambda toy: flat(toy, [5] * 9), r"8 light curves.*max-batch.*\[9\]"),
        ("embed_pooled", lambda _: padded(9, 0, 0), r"8 light curves.*max-batch.*\[9\]"),
        ("serving_default", lambda _: {"examples": [b""] * 9}, r"8 light curves.*max-batch.*\[9\]"),
        (
            "embed_ragged",
            lambda toy: flat(toy, [90] * 5),
            r"400 steps in the w.*max-steps.*\[500\]",
        ),
        ("embed", lambda _: padded(7, 200, 5), r"6400 numbers in sequence.*\[11200\]"),
        (
            "reconstruct_drawn",
            lambda _: {**padded(8, 60, 5), "seed": 1, "probed": 0.5},
            r"400 steps in an answer.*\[480\]",
        ),
        (
            "reconstruct",
            lambda _: {**padded(8, 60, 5), "visible": np.ones((8, 60), bool)},
            r"400 steps in an answer.*\[480\]",
        ),
        (
            "encode_windows",
            lambda _: dict.fromkeys(("input", "times", "mask_in"), np.ones((4, 20, 1))),
            r"60 steps in encode_windows.*max-window-steps.*\[80\]",
        ),
    ],
)
def test_a_request_over_a_limit_is_refused_and_the_next_is_answered(
    ask, toy, signature, request_of, told
) -> None:
    expected = ask("embed_ragged", **flat(toy, [30, 4]))
    with pytest.raises(REFUSED, match=f"at most {told}"):
        ask(signature, **request_of(toy))
    got = ask("embed_ragged", **flat(toy, [30, 4]))
    assert got["status"].tolist() == [STATUS_OK, STATUS_TOO_SHORT]
    assert np.array_equal(got["mean"], expected["mean"])


def test_requests_of_nothing_and_of_nan_are_answered(ask, toy) -> None:
    assert ask("embed_ragged", **flat(toy, []))["mean"].shape == (0, 8)
    assert ask("serving_default", examples=np.array([], object))["status"].shape == (0,)
    assert ask("embed", **padded(0, 0, 0))["sequence"].shape == (0, 0, 8)
    arrays = {k: v if k == "length" else v * np.nan for k, v in padded(3, 30, 30).items()}
    for name in ("embed_pooled", "embed"):
        got = ask(name, **arrays)
        assert got["status"].tolist() == [STATUS_TOO_SHORT] * 3
        assert not got["mean"].any()


def test_python_divides_what_it_is_asked_and_refuses_a_light_curve_alone(pushed, toy) -> None:
    encoder = astromer.load(pushed)
    assert encoder.limits == LIMITS
    curves = toy.curves([90, 7, 100, 30, 5, 5, 5, 5, 5, 5, 5, 5, 5])
    found = encoder.embed(curves, progress=False)  # over every limit but that of a light curve
    assert not found.status.any()
    for index in (0, 12):
        alone = encoder.embed(curves[index], progress=False)
        np.testing.assert_allclose(found.mean[index], alone.mean[0], atol=1e-5)
    again = encoder.reconstruct(curves, progress=False)
    assert [len(row) for row in again.mag] == curves.lengths.tolist()
    assert not again.status.any()
    long = toy.curves([30, 101])
    for method in (encoder.embed, encoder.reconstruct):
        with pytest.raises(
            LightCurveError, match=r"at most 100 observations.*101 in light curve 1"
        ):
            method(long, progress=False)
    # A file of many goes on.
    assert encoder.embed_packed(long, progress=False).status.tolist() == [0, STATUS_TOO_LONG]


def test_limits_are_in_the_config_and_must_fit_each_other(pushed) -> None:
    assert read_config(pushed)["serving"] == dataclasses.asdict(LIMITS)
    with pytest.raises(UsageError, match="--serve-max-steps must be at least"):
        ServingConfig(serve_max_observations=10, serve_max_steps=9)
    # Above the light curves that surveys have.
    assert ServingConfig().serve_max_observations > 100_000
