"""The encoder of a pushed model, trained on outside of this package."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import astromer
from astromer.records.encoding import encode_light_curve
from astromer.serving.export import export_saved_model, load_model
from astromer.system.errors import ModelError


@pytest.fixture(scope="module")
def home(toy, tmp_path_factory):
    """A folder with a pushed version where the documented commands look for it."""
    folder = tmp_path_factory.mktemp("home")
    model = toy.model(window_size=200, num_layers=1)
    export_saved_model(model, folder / "outputs" / "serving" / "astromer" / "3")
    return folder


def documented(toy) -> str:
    text = (toy.root / "docs" / "serving.md").read_text()
    (code,) = re.findall(r"## Training on.*?```python\n(.*?)```", text, re.DOTALL)
    return code


@pytest.mark.slow
def test_the_documented_example_moves_the_encoder(toy, home) -> None:
    code = documented(toy)
    check = (
        "\nfrom astromer.serving.export import load_model"
        "\nbefore = load_model('outputs/serving/astromer/3').encoder.trainable_variables"
        "\nafter = encoder.encoder.trainable_variables"
        "\nassert [v.shape for v in before] == [v.shape for v in after]"
        "\nmoved = [bool((b.numpy() != a.numpy()).any()) for b, a in zip(before, after)]"
        "\nprint('moved', sum(moved), 'of', len(moved), 'seen', len(model.trainable_variables))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + check],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(toy.root)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    count = len(load_model(home / "outputs/serving/astromer/3").encoder.variables)
    moved, of, seen = map(int, re.findall(r"\d+", done.stdout.splitlines()[-1]))
    assert of == count
    assert seen == count + 2
    # The token of hidden steps and the shift of the keys have no gradient: nothing is hidden, and
    # softmax does not see a common shift.
    assert moved >= count - 1


def test_the_layer_is_what_the_pushed_model_computes(toy, home) -> None:
    curves = toy.curves([5, 37, 200, 201, 450, 3])
    layer = astromer.load_trainable(home / "outputs" / "serving" / "astromer", version=3)
    rows = {
        name: tf.RaggedTensor.from_row_lengths(getattr(curves, name), curves.lengths).to_tensor()
        for name in ("mjd", "mag", "errmag")
    }
    got = layer({**rows, "length": tf.constant(curves.lengths)}).numpy()
    expected = astromer.load(home / "outputs" / "serving" / "astromer").embed(curves).mean
    assert got[:5] == pytest.approx(expected[:5], abs=1e-5)
    assert np.isfinite(got).all()


def test_a_version_that_is_not_there_is_told(home) -> None:
    with pytest.raises(ModelError, match="version 4 of .*which has 3"):
        astromer.load_trainable(home / "outputs" / "serving" / "astromer", version=4)


@pytest.mark.slow
def test_keras_own_layer_for_saved_models_gives_the_same_vectors(toy, home) -> None:
    import keras

    curves = toy.curves([37, 201])
    series = ({name: getattr(one, name) for name in ("mjd", "mag", "errmag")} for one in curves)
    records = tf.constant([encode_light_curve(one, {"ID": "a"}) for one in series])
    version = home / "outputs/serving/astromer/3"
    layer = keras.layers.TFSMLayer(str(version), call_endpoint="serving_default")
    text = keras.Input((), dtype="string")
    model = keras.Model(text, layer(text)["mean"])
    expected = astromer.load(version).embed(curves, progress=False).mean
    assert model.predict(records, verbose=0) == pytest.approx(expected, abs=1e-5)
