"""Two pushed versions of a model, what Python answers, and the code blocks of the documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from astromer.records.encoding import encode_light_curve
from astromer.serving.embedder import Embedder, Embeddings
from astromer.serving.export import export_saved_model

LENGTHS = (5, 200, 201, 450, 3)


@pytest.fixture(scope="session")
def models(toy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two SavedModels of one layer with different weights, not published yet."""
    folder = tmp_path_factory.mktemp("models")
    return tuple(
        export_saved_model(
            toy.model(name, num_layers=1, d_model=16, window_size=200, seed=seed), folder / name
        )
        for seed, name in enumerate(("astromer_v2", "astromer_v1"))
    )


@pytest.fixture(scope="session")
def curves(toy):
    """Curves of one and of several windows; the last is too short."""
    return toy.curves(LENGTHS)


@pytest.fixture(scope="session")
def answers(models, curves) -> tuple[Embeddings, Embeddings]:
    """What Python answers, by model."""
    return tuple(Embedder(model).embed(curves, progress=False) for model in models)


@pytest.fixture(scope="session")
def record_file(curves, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The curves as a file of fold records."""
    path = tmp_path_factory.mktemp("records") / "0.record"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in range(len(curves)):
            curve = curves[row]
            series = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
            writer.write(encode_light_curve(series, {"ID": curve.id}))
    return path


@pytest.fixture(scope="session")
def same() -> Callable[..., float]:
    """Compares answers with Python's to 1e-5, and returns the difference."""

    def compare(got: dict, expected: Embeddings) -> float:
        difference = 0.0
        for name in ("mean", "max"):
            values = np.asarray(got[name], np.float32)
            assert values.shape == getattr(expected, name).shape
            difference = max(difference, float(np.abs(values - getattr(expected, name)).max()))
        assert difference < 1e-5
        if "status" in got:
            assert np.array_equal(got["status"], expected.status)
            assert np.array_equal(got["num_observations"], expected.num_observations)
        return difference

    return compare


@pytest.fixture(scope="session")
def documented(toy) -> Callable[..., str]:
    """The code block of docs/serve_elsewhere.md that holds a phrase, with names replaced."""
    text = (toy.root / "docs" / "serve_elsewhere.md").read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)

    def find(phrase: str, **replaced: str) -> str:
        (block,) = (block for block in blocks if phrase in block)
        for old, new in replaced.items():
            block = block.replace(old, new)
        return block

    return find
