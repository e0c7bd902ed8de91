from __future__ import annotations

import numpy as np
import pytest

from astromer.training.arrangement import arrange


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
