from __future__ import annotations

import numpy as np
import pytest

from astromer.reports.encoder_plots import draw_map, mean_embeddings
from astromer.serving.embedder import Embedder
from astromer.serving.embedding_table import to_plane


def test_embeddings_are_those_that_a_server_gives(toy, served) -> None:
    model, curves = toy.model(), toy.curves([33, 20, 7, 55])
    served = Embedder(served).embed(curves)
    assert mean_embeddings(model, curves) == pytest.approx(served.mean, abs=1e-5)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_points_are_the_same_each_time_and_few_are_enough(method: str) -> None:
    embeddings = np.random.default_rng(0).normal(size=(12, 6)).astype(np.float32)
    (one, what), (again, _) = (to_plane(embeddings, method, 3) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (12, 2)
    assert ("seed 3" in what) == (method == "tsne")
    assert to_plane(embeddings[:3], method, 3)[0].shape == (3, 2)
    assert to_plane(embeddings[:3, :1], "pca", 3)[0].shape == (3, 2)


def test_two_light_curves_make_no_map() -> None:
    assert draw_map(np.zeros((2, 4), np.float32), np.array(["a", "b"]), "pca", 0) == []
    [equal] = draw_map(np.zeros((3, 4), np.float32), np.array(["", "", ""]), "pca", 0)
    assert "0% of the variance" in equal.caption
