"""OpenVINO and ONNX Runtime: loaders that share no code with TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from astromer.commands.export_onnx import export_onnx
from astromer.serving.versions.promotion import push_version
from astromer.windows.batches import assemble, sequential_windows
from astromer.windows.masking import nothing_probed


class Windows:
    """Light curves as ``encode_windows`` takes them, and its answers by light curve."""

    def __init__(self, curves):
        self.windows = sequential_windows(curves.offsets, 200)
        probing = nothing_probed(self.windows.length, 200)
        batch = assemble(curves, self.windows, probing)
        self.feed = {
            "input": batch.magnitudes[..., None],
            "times": batch.times[..., None],
            "mask_in": probing.observed[..., None].astype(np.float32),
        }
        self.lengths = curves.lengths

    def joined(self, mean: np.ndarray, highest: np.ndarray) -> dict[str, np.ndarray]:
        """As the document says; light curves of fewer than 5 observations are zeros."""
        first = np.flatnonzero(np.diff(self.windows.curve, prepend=-1))
        total = np.add.reduceat(mean * self.windows.length[:, None], first)
        fine = (self.lengths >= 5)[:, None]
        return {
            "mean": np.where(fine, total / self.lengths[:, None], 0),
            "max": np.where(fine, np.maximum.reduceat(highest, first), 0),
        }


@pytest.fixture(scope="module")
def windows(curves) -> Windows:
    return Windows(curves)


def test_openvino_loads_each_pushed_version(
    models, windows: Windows, answers, documented, same, tmp_path: Path, monkeypatch, capsys
) -> None:
    pytest.importorskip("openvino")
    folder = tmp_path / "astromer"
    differences = []
    for model, answer in zip(models, answers):
        push_version(model, folder)
        monkeypatch.chdir(tmp_path)
        names = {"outputs/serving/astromer/latest": str(folder / "latest")}
        exec(documented('signatures=model.signatures["encode_windows"]', **names))
        made: dict = {}
        exec(documented("INFERENCE_PRECISION_HINT"), made)
        got = made["network"](windows.feed)
        differences.append(same(windows.joined(got["mean"], got["max"]), answer))
    with capsys.disabled():
        print(f" [OpenVINO: {max(differences):.1e} from Python]", end="")


def test_openvino_and_onnxruntime_load_the_exported_file(
    models, windows: Windows, answers, same, tmp_path: Path, capsys
) -> None:
    openvino = pytest.importorskip("openvino")
    onnxruntime = pytest.importorskip("onnxruntime")
    path = str(tmp_path / "astromer.onnx")
    export_onnx(models[1], path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    got = openvino.Core().compile_model(path, "CPU", precise)(windows.feed)
    differences = {
        name: same(windows.joined(mean, highest), answers[1])
        for name, (mean, highest) in {
            "ONNX Runtime": session.run(["mean", "max"], windows.feed),
            "OpenVINO": (got["mean"], got["max"]),
        }.items()
    }
    with capsys.disabled():
        print("".join(f" [{name}: {value:.1e}]" for name, value in differences.items()), end="")
