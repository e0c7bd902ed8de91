from __future__ import annotations

import numpy as np
import pytest

from astromer.training.step_order import arrange, first_of_passes
from astromer.windows.micro_batches import Pass


@pytest.mark.parametrize("scored_name", ["probed", "hidden"])
def test_visible_steps_come_first_and_scored_ones_in_one_stretch(toy, scored_name: str) -> None:
    probing = toy.batch((20, 7, 13, 2)).probing
    scored = getattr(probing, scored_name)
    arrays = {
        "visible": probing.visible,
        "scored": scored,
        "step": np.broadcast_to(np.arange(20), scored.shape),
        "scale": np.arange(4.0)[:, None],
    }
    arranged, first = arrange(arrays, probing.visible, scored)
    for row in range(4):
        visible, score, step = (arranged[name][row] for name in ("visible", "scored", "step"))
        assert (np.diff(visible.astype(int)) <= 0).all()
        assert not score[: first[row]].any()
        assert score[first[row] : first[row] + score.sum()].all()
        assert sorted(step) == list(range(20))
        assert (probing.visible[row, step] == visible).all()
        length = probing.observed[row].sum()
        assert set(step[:length]) == set(range(length)), "padding comes last"
    assert (arranged["scale"] == arrays["scale"]).all()
    assert (first == (probing.visible & ~scored).sum(axis=1)).all()


def test_steps_keep_their_order_within_a_stretch() -> None:
    visible = np.array([[True, False, True, True, False]])
    scored = np.array([[False, True, True, False, True]])
    arranged, first = arrange({"step": np.arange(5)[None]}, visible, scored)
    assert arranged["step"].tolist() == [[0, 3, 2, 1, 4]]
    assert first.tolist() == [2]


def test_passes_of_one_length_start_at_the_same_step() -> None:
    first_scored = np.array([19, 100, 30, 0, 17, 23])
    parts = [
        Pass(np.array([0, 1]), 200, 0),
        Pass(np.array([2]), 200, 2),
        Pass(np.array([4, 5]), 10, 0),
        Pass(np.array([3]), 48, 0),
    ]
    assert first_of_passes(parts, first_scored) == {200: 16, 10: 9, 48: 0}
