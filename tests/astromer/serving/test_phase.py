"""A served phase model (docs/training.md) searches periods in a graph and answers as in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from astromer.commands.embed import main
from astromer.encoder.folding import prepare
from astromer.encoder.inference import network_inputs
from astromer.encoder.pooling import MEAN, CurveEncoder
from astromer.light_curves import LightCurve, LightCurves
from astromer.periodogram.curve_periods import find_periods
from astromer.serving.curve_features import features_of
from astromer.serving.embedder import Embedder
from astromer.serving.export import TrainableEncoder, export_saved_model, load_model
from astromer.system.errors import DataAnomalyError, UsageError
from astromer.windows.batches import sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw
from tools.starter.files import write_starter

WINDOW = 40
PERIODS = (0.57, 3.3, 0.21, 0.0, 0.0)
LENGTHS = (175, 80, 110, 5, 3)


@pytest.fixture(scope="module")
def curves() -> LightCurves:
    rng = np.random.default_rng(5)

    def star(period: float, length: int) -> LightCurve:
        mjd = 55000 + np.sort(rng.uniform(0, 300, length))
        mag = 15 + rng.normal(0, 0.02, length)
        if period:
            mag += 0.4 * np.sin(2 * np.pi * mjd / period)
        errmag = rng.uniform(0.01, 0.05, length)
        errmag[rng.random(length) < 0.1] = np.nan  # the survey gives none
        return LightCurve(mjd, mag.astype(np.float32), errmag.astype(np.float32), id=f"P{period}")

    return LightCurves.from_curves(star(*one) for one in zip(PERIODS, LENGTHS))


@pytest.fixture(scope="module")
def model(toy):
    return toy.model("astromer_phase", window_size=WINDOW, num_layers=1)


@pytest.fixture(scope="module")
def pushed(model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_saved_model(model, tmp_path_factory.mktemp("phase") / "1")


@pytest.fixture(scope="module")
def embedder(pushed: Path) -> Embedder:
    return Embedder(pushed)


def test_embeddings_and_periods_are_those_of_the_model(model, embedder, curves) -> None:
    got = embedder.embed(curves, progress=False)
    assert got.status.tolist() == [0, 0, 0, 0, 1]
    good = np.arange(4)
    some = curves.take(good)
    assert got.mean[good] == pytest.approx(CurveEncoder(model, MEAN)(some)[:, 0], abs=2e-4)
    assert got.embedding is not None
    network, features = np.split(got.embedding, [got.mean.shape[1]], axis=1)
    assert network.tobytes() == got.mean.tobytes()
    expected = features_of(some, find_periods(some))
    assert features[good] == pytest.approx(expected, rel=1e-4, abs=2e-4)
    assert (got.embedding[4] == 0).all()
    periods = find_periods(curves)
    assert got.periods[:3, 0] == pytest.approx(PERIODS[:3], rel=1e-3)
    assert 1 / got.periods[:3] == pytest.approx(periods.frequencies[:3], rel=1e-9)
    assert got.powers[:3] == pytest.approx(periods.powers[:3], abs=1e-9)
    assert (got.false_alarm[:3] < 1e-3).all()
    assert np.isnan(got.periods[3:]).all()


@pytest.mark.slow
def test_weights_and_settings_answer_as_the_saved_model(pushed, embedder, curves, tmp_path) -> None:
    rebuilt = Embedder(write_starter(pushed, tmp_path / "starter", "1").path)
    got, expected = (one.embed(curves, progress=False) for one in (rebuilt, embedder))
    for name in ("mean", "max", "embedding", "periods", "powers", "false_alarm", "status"):
        np.testing.assert_allclose(getattr(got, name), getattr(expected, name), atol=1e-6)
    known = np.array([0.3, np.nan, 0.0, -1.0, 2.0])
    at = [one.embed(curves, periods=known, progress=False) for one in (rebuilt, embedder)]
    np.testing.assert_allclose(at[0].embedding, at[1].embedding, atol=1e-6)
    for visible in (None, [np.arange(n) % 2 == 0 for n in LENGTHS]):
        shown, told = (
            one.reconstruct(curves, visible=visible, progress=False) for one in (rebuilt, embedder)
        )
        for name in ("mag", "hidden", "sigma"):
            np.testing.assert_allclose(
                np.concatenate(getattr(shown, name)), np.concatenate(getattr(told, name)), atol=1e-5
            )
    assert got.model.startswith("starter 1, weights ")
    assert expected.model.split(", ")[1] == got.model.split(", ")[1]


@pytest.mark.parametrize("length", [0, 2, 30])
def test_a_request_of_unusable_light_curves_alone_has_its_statuses(embedder, length: int) -> None:
    """Times are days since 4713 BC, outside of the rules."""
    mjd = np.arange(length, dtype=np.float64) + 2_458_000.5
    found = embedder.embed([(mjd, np.full(length, 15.0), None)] * 2)
    assert (found.status != 0).all()
    assert np.all(found.mean == 0)


def test_a_known_period_is_folded_at(model, embedder, curves) -> None:
    known = np.array([0.3, np.nan, 0.0, -1.0, 2.0])
    searched = embedder.embed(curves, progress=False)
    got = embedder.embed(curves, periods=known, progress=False)
    assert got.periods[0, 0] == pytest.approx(0.3, rel=1e-9)
    assert np.abs(got.embedding[0] - searched.embedding[0]).max() > 1e-3
    assert got.embedding[1:].tobytes() == searched.embedding[1:].tobytes()
    with pytest.raises(UsageError, match="one value for each light curve"):
        embedder.embed(curves, periods=[1.0], progress=False)


def test_the_program_folds_at_the_periods_of_a_table(pushed, tmp_path, capsys) -> None:
    rng = np.random.default_rng(1)
    rows = ["ID,mjd,mag,errmag"]
    for name in ("a", "b"):
        times = 55000 + np.sort(rng.uniform(0, 300, 60))
        mag = 15 + 0.4 * np.sin(2 * np.pi * times / 0.57)
        rows += [f"{name},{t:.6f},{m:.4f},0.02" for t, m in zip(times, mag)]
    survey, known, out = (tmp_path / name for name in ("s.csv", "known.csv", "out.parquet"))
    survey.write_text("\n".join(rows) + "\n")
    known.write_text("ID,Period\na,0.3\nc,7\nd,-1\n")
    arguments = ["--data", str(survey), "--model", str(pushed), "--out", str(out)]
    main([*arguments, "--periods", str(known)])
    assert "1 of 2 light curves were folded at known periods" in capsys.readouterr().out
    periods = dict(zip(*pq.read_table(out, columns=["id", "period"]).to_pydict().values()))
    assert periods["a"] == pytest.approx(0.3, rel=1e-9)
    assert periods["b"] == pytest.approx(0.57, rel=1e-2)
    out.unlink()
    known.write_text("ID,Period\nx,0.3\n")
    with pytest.raises(DataAnomalyError, match="other ids, such as 'x'"):
        main([*arguments, "--periods", str(known)])
    known.write_text("ID,Period\na,0.3\na,0.4\n")
    with pytest.raises(DataAnomalyError, match="one period. Received: 0.3 and 0.4 days"):
        main([*arguments, "--periods", str(known)])
    assert not out.exists()


def test_reconstructions_and_spreads_are_those_of_the_model(model, embedder, curves) -> None:
    windows = sequential_windows(curves.offsets, WINDOW)
    masking = MaskingConfig(random=0.0)
    probing = draw(windows.length, WINDOW, masking, seed=[1], first=0)
    batch = prepare(model, curves, windows, probing)
    predicted, spread = (found.numpy() for found in model.with_spread(**network_inputs(batch)))
    observed = probing.observed
    scale = batch.scale[:, None]
    expected = (batch.centre[:, None] + scale * predicted)[observed]
    visible = np.split(probing.visible[observed], curves.offsets[1:-1])
    got = embedder.reconstruct(curves, visible=visible, progress=False)
    answered = slice(0, curves.offsets[4])
    assert np.concatenate(got.mag)[answered] == pytest.approx(expected[answered], abs=1e-3)
    sigma = np.concatenate(got.sigma)
    assert sigma[answered] == pytest.approx((scale * spread)[observed][answered], rel=1e-3)
    assert (sigma[answered] > 0).all()

    hidden = ~np.concatenate(visible)
    mag, errmag = curves.mag.copy(), curves.errmag.copy()
    mag[hidden], errmag[hidden] = 12, 0.5
    planted = embedder.reconstruct(
        replace(curves, mag=mag, errmag=errmag), visible=visible, progress=False
    )
    for name in ("mag", "sigma"):
        one, other = (np.concatenate(getattr(answer, name)) for answer in (got, planted))
        assert one.tobytes() == other.tobytes(), name


def test_the_order_of_steps_and_the_batch_do_not_matter(embedder, curves) -> None:
    got = embedder.embed(curves, progress=False)
    rng = np.random.default_rng(0)
    index = np.concatenate(
        [rng.permutation(np.arange(a, b)) for a, b in zip(curves.offsets, curves.offsets[1:])]
    )
    values = {name: getattr(curves, name)[index] for name in ("mjd", "mag", "errmag")}
    shuffled = embedder.embed(replace(curves, **values), progress=False)
    assert shuffled.embedding == pytest.approx(got.embedding, abs=1e-6)
    alone = embedder.embed(curves.take(np.array([1])), progress=False)
    assert alone.embedding == pytest.approx(got.embedding[1:2], abs=1e-5)


def test_the_trainable_model_comes_back(model, pushed, curves) -> None:
    loaded = load_model(pushed)
    for one, other in zip(loaded.variables, model.variables, strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
    assert (loaded.encoder.architecture, loaded.normalise) == ("astromer_phase", True)


def test_the_keras_layer_gives_the_mean(model, embedder, curves) -> None:
    width, rows = max(LENGTHS), np.arange(4)
    arrays = {
        name: np.zeros((4, width), dtype)
        for name, dtype in (("mjd", "f8"), ("mag", "f4"), ("errmag", "f4"))
    }
    for row in rows:
        for name, array in arrays.items():
            array[row, : LENGTHS[row]] = getattr(curves[row], name)
    inputs = {name: tf.constant(array) for name, array in arrays.items()}
    got = TrainableEncoder(model)({**inputs, "length": tf.constant(LENGTHS[:4], tf.int64)})
    expected = embedder.embed(curves.take(rows), progress=False).mean
    assert got.numpy() == pytest.approx(expected, abs=2e-4)


def test_the_onnx_file_takes_folded_windows(model, embedder) -> None:
    pytest.importorskip("tf2onnx")
    from astromer.commands.export_onnx import check_onnx, input_names, to_onnx

    proto = to_onnx(model)
    assert [value.name for value in proto.graph.input] == list(input_names(model))
    assert check_onnx(proto, model, embedder) < 1e-4
