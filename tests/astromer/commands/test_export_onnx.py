"""Exported ONNX files: what they answer, who can load them, and when none is written."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from astromer.commands.export_onnx import export_onnx
from astromer.encoder.order import ASTROMER_1
from astromer.serving.embedder import Embedder
from astromer.serving.export import export_saved_model
from astromer.system.errors import ModelError, UsageError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")

LENGTHS = (5, 120, 200, 450)


@pytest.fixture(scope="module", params=["astromer_v1", "astromer_v2 normalised", "quirks"])
def pushed(request: pytest.FixtureRequest, toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with version 7 of a model."""
    settings = {"num_layers": 1, "d_model": 16, "window_size": 200}
    if request.param == "quirks":
        model = toy.model("astromer_v1", **settings)
        model.encoder.quirks = ASTROMER_1
    else:
        architecture, *normalise = request.param.split()
        model = toy.model(architecture, normalise=bool(normalise), **settings)
    folder = tmp_path_factory.mktemp("pushed")
    export_saved_model(model, folder / "7")
    return folder


@pytest.fixture(scope="module")
def exported(pushed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx") / "deep" / "er" / "astromer.onnx"
    assert export_onnx(pushed, out, license="CC-BY-4.0") < 1e-5
    assert [path.name for path in out.parent.iterdir()] == ["astromer.onnx"]
    return out


@pytest.fixture(scope="module")
def embedder(pushed: Path) -> Embedder:
    return Embedder(pushed)


def test_light_curve_loads_it_and_embeds_as_we_do(exported, embedder, toy) -> None:
    """light-curve averages the windows of a curve without weighing them by their length."""
    public = pytest.importorskip("light_curve.embed")
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "experimental"
        theirs = {name: public.Astromer2(session, output=name) for name in ("mean", "sequence")}
        first = public.Astromer2(session, output="max", reduction="beginning")
    curves = toy.curves(LENGTHS)
    ours = embedder.embed(curves, progress=False)
    for row, length in enumerate(LENGTHS):
        curve = curves[row]
        got = theirs["mean"](curve.mjd, curve.mag)
        assert got.shape == (1, 1, 1, 16)
        assert theirs["sequence"](curve.mjd, curve.mag).shape == (1, 1, 200, 16)
        if length <= 200:
            assert got[0, 0, 0] == pytest.approx(ours.mean[row], abs=1e-5)
            assert first(curve.mjd, curve.mag)[0, 0, 0] == pytest.approx(ours.max[row], abs=1e-5)
    weights = np.array([200, 200, 50]) / 450
    windows = [
        theirs["mean"](curve.mjd[start : start + 200], curve.mag[start : start + 200])[0, 0, 0]
        for start in (0, 200, 400)
    ]
    assert weights @ windows == pytest.approx(ours.mean[-1], abs=1e-5)
    assert got[0, 0, 0] == pytest.approx(np.mean(windows, axis=0), abs=1e-5)


def test_names_shapes_and_facts(exported: Path) -> None:
    proto = onnx.load(str(exported))

    def shapes(values) -> dict[str, list]:
        return {
            value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
            for value in values
        }

    window = ["batch", 200, 1]
    assert shapes(proto.graph.input) == {"input": window, "times": window, "mask_in": window}
    assert shapes(proto.graph.output) == {
        "mean": ["batch", 16],
        "max": ["batch", 16],
        "sequence": ["batch", 200, 16],
    }
    types = {v.type.tensor_type.elem_type for v in (*proto.graph.input, *proto.graph.output)}
    assert types == {onnx.TensorProto.FLOAT}
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    assert facts["license"] == "CC-BY-4.0"
    assert facts["window_size"] == "200"
    assert "1 at valid steps" in facts["contract"]
    assert proto.model_version == 7


@pytest.mark.parametrize("rows", [1, 3])
def test_any_batch_and_padding_that_is_not_read(exported: Path, rows: int) -> None:
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    feed = {name: rng.normal(0, 1, (rows, 200, 1)).astype("f4") for name in ("input", "times")}
    feed["mask_in"] = np.ones((rows, 200, 1), np.float32)
    feed["mask_in"][0, 30:] = 0
    expected = session.run(["mean", "max", "sequence"], feed)
    for name in ("input", "times"):
        feed[name][0, 30:] = np.nan
    for one, other in zip(expected, session.run(["mean", "max", "sequence"], feed)):
        assert other == pytest.approx(one, abs=1e-6)
    assert len(expected[0]) == rows


@pytest.mark.parametrize("factor", [1.01, np.nan])
def test_a_file_that_would_answer_otherwise_is_not_written(
    pushed: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    """As if the conversion had gone wrong, in one matrix."""
    wrong = onnx.load(str(exported))
    matrix = max(wrong.graph.initializer, key=lambda tensor: tensor.ByteSize())
    values = onnx.numpy_helper.to_array(matrix) * np.float32(factor)
    matrix.CopyFrom(onnx.numpy_helper.from_array(values, matrix.name))
    monkeypatch.setattr("astromer.commands.export_onnx.to_onnx", lambda model: wrong)
    out = tmp_path / "astromer.onnx"
    out.write_text("an older file")
    with pytest.raises(ModelError, match="must answer as the pushed model does.*nothing was writ"):
        export_onnx(pushed, out)
    assert out.read_text() == "an older file"
    assert [entry.name for entry in tmp_path.iterdir()] == ["astromer.onnx"]


def test_mistakes_are_named_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="A model must be"):
        export_onnx(tmp_path / "nothing", tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="which is a folder"):
        export_onnx(tmp_path, tmp_path)
    with pytest.raises(ModelError, match="holds none"):
        export_onnx(tmp_path, tmp_path / "a.onnx")
