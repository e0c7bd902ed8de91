"""A pushed model in a process that has TensorFlow and nothing of this project."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import astromer
from astromer.serving.export import export_saved_model

LENGTHS = [5, 37, 200, 201, 1500, 20_000]

USER = """
import os, sys
# An editable installation adds the project to the path, or a finder of its own.
sys.path = [p for p in sys.path if not os.path.isfile(os.path.join(p, "pipeline_config.py"))]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
try:
    import astromer
    raise SystemExit("astromer can be imported")
except ModuleNotFoundError:
    pass
import numpy as np
import tensorflow as tf

arrays = dict(np.load("curves.npz"))
signatures = tf.saved_model.load(sys.argv[1]).signatures
answers = {}
for name in ("embed", "embed_pooled"):
    answer = signatures[name](**{
        key: tf.constant(arrays["padded_" + key]) for key in ("mjd", "mag", "errmag", "length")
    })
    answers[name], answers[name + "_max"] = answer["mean"].numpy(), answer["max"].numpy()
answer = signatures["embed_ragged"](**{
    key: tf.constant(arrays[key]) for key in ("mjd", "mag", "errmag", "length")
})
answers["embed_ragged"], answers["embed_ragged_max"] = answer["mean"].numpy(), answer["max"].numpy()
examples = [bytes.fromhex(example) for example in arrays["examples"].tolist()]
answer = signatures["serving_default"](tf.constant(examples))
answers["serving_default"] = answer["mean"].numpy()
answers["serving_default_max"] = answer["max"].numpy()
np.savez("answers.npz", num_observations=answer["num_observations"].numpy(), **answers)
"""


@pytest.mark.slow
def test_it_embeds_as_the_python_api_does(toy, tmp_path) -> None:
    from astromer.records.encoding import encode_light_curve

    model = toy.model(window_size=200, num_layers=1)
    pushed = export_saved_model(model, tmp_path / "model" / "1")
    curves = toy.curves(LENGTHS)
    records = []
    padded = {name: np.zeros((6, 20_000)) for name in ("mjd", "mag", "errmag")}
    for row in range(len(curves)):
        series = {name: getattr(curves[row], name) for name in padded}
        records.append(encode_light_curve(series, {"ID": "a"}))
        for name, values in series.items():
            padded[name][row, : len(values)] = values
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    np.savez(
        elsewhere / "curves.npz",
        examples=np.array([record.hex() for record in records]),
        mjd=curves.mjd,
        mag=curves.mag,
        errmag=curves.errmag,
        length=curves.lengths,
        padded_mjd=padded["mjd"],
        padded_mag=padded["mag"].astype(np.float32),
        padded_errmag=padded["errmag"].astype(np.float32),
        padded_length=curves.lengths,
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", USER, str(pushed)],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    expected = astromer.load(tmp_path / "model").embed(curves, progress=False)
    assert expected.status.tolist() == [0] * 6
    with np.load(elsewhere / "answers.npz") as answers:
        assert answers["num_observations"].tolist() == LENGTHS
        for name in ("embed", "embed_pooled", "embed_ragged", "serving_default"):
            np.testing.assert_allclose(answers[name], expected.mean, atol=1e-5, err_msg=name)
            np.testing.assert_allclose(answers[f"{name}_max"], expected.max, atol=1e-5)
