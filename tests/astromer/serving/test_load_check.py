from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from astromer.serving import load_check as serving_check
from astromer.serving.export import export_saved_model
from astromer.serving.load_check import check_servable
from astromer.system.errors import ModelError

EXAMPLES = tf.TensorSpec([None], tf.string, "examples")


@pytest.fixture(scope="module")
def curves(toy):
    return toy.curves([30, 5, 60, 20, 7])


@pytest.fixture(scope="module")
def exported(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = toy.model(num_layers=1)
    return export_saved_model(model, tmp_path_factory.mktemp("servable") / "1")


def save(directory: Path, answer, tracked: object = None, name: str = "serving_default") -> Path:
    """A SavedModel whose signature ``name`` answers with ``answer(examples)``."""
    module = tf.Module()
    if tracked is not None:
        module.tracked = tracked
    function = tf.function(lambda examples: {"mean": answer(examples)}, input_signature=[EXAMPLES])
    tf.saved_model.save(module, str(directory), signatures={name: function})
    return directory


def test_an_exported_model_passes(exported: Path, curves) -> None:
    found = check_servable(exported, curves)
    assert found["curves"] == 4
    assert found["difference"] <= 1e-4
    assert check_servable(exported, curves, limit=1)["curves"] == 1


def test_a_model_that_tracks_keras_layers_is_refused(tmp_path: Path, curves) -> None:
    """It loads in Python, which is why ``tf.saved_model.load`` is no check."""
    layer = keras.layers.Dense(2)
    layer.build((None, 1))

    class Wrapper(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        @tf.function(input_signature=[EXAMPLES])
        def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"mean": self.layer(tf.ones_like(examples, tf.float32)[:, None])}

    wrapper = Wrapper()
    signatures = {"serving_default": wrapper.serve}
    tf.saved_model.save(wrapper, str(tmp_path / "1"), signatures=signatures)
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    assert loaded.signatures["serving_default"](tf.constant(["a"]))["mean"].shape == (1, 2)
    with pytest.raises(ModelError, match="server must be able to load") as caught:
        check_servable(tmp_path / "1", curves)
    assert "\n" not in str(caught.value)


def test_answers_that_are_not_finite_are_refused(tmp_path: Path, curves) -> None:
    folder = save(tmp_path / "1", lambda e: tf.fill(tf.shape(e), float("nan")))
    with pytest.raises(ModelError, match="finite.*'mean'"):
        check_servable(folder, curves)


def test_other_answers_than_in_python_are_refused(
    tmp_path: Path, curves, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "1", lambda e: tf.ones_like(e, tf.float32))
    check_servable(folder, curves)
    served = serving_check._run_in_session
    monkeypatch.setattr(
        serving_check,
        "_run_in_session",
        lambda *arguments: {name: value + 0.01 for name, value in served(*arguments).items()},
    )
    with pytest.raises(ModelError, match="differs by 0.01"):
        check_servable(folder, curves)


def test_a_model_that_cannot_run_is_refused(tmp_path: Path, curves) -> None:
    folder = save(tmp_path / "1", lambda e: tf.strings.to_number(e))
    with pytest.raises(ModelError, match="server must be able to load and run"):
        check_servable(folder, curves)


def test_a_model_without_the_signature_is_refused(tmp_path: Path, curves) -> None:
    folder = save(tmp_path / "1", lambda e: tf.ones_like(e, tf.float32), name="other")
    with pytest.raises(ModelError):
        check_servable(folder, curves)


@pytest.mark.parametrize("damage", ["no folder", "empty", "no variables", "cut off"])
def test_a_broken_folder_is_refused(exported: Path, tmp_path: Path, curves, damage: str) -> None:
    folder = tmp_path / "1"
    if damage == "empty":
        folder.mkdir()
    elif damage != "no folder":
        shutil.copytree(exported, folder)
    if damage == "no variables":
        shutil.rmtree(folder / "variables")
    if damage == "cut off":
        graph = folder / "saved_model.pb"
        graph.write_bytes(graph.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="server must be able to load"):
        check_servable(folder, curves)


def test_a_check_without_a_curve_is_no_check(exported: Path, toy) -> None:
    with pytest.raises((ModelError, ValueError)):
        check_servable(exported, toy.curves([]))
    assert np.isfinite(check_servable(exported, toy.curves([9]))["difference"])
