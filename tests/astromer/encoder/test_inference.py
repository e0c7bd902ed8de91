from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from astromer.encoder.inference import Predictor, network_inputs, sort_steps
from astromer.windows.batches import MicroBatch, plan_micro_batches
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw


@pytest.fixture(scope="module")
def model(toy):
    return toy.model("astromer_v2")


def test_it_is_the_model(toy, model) -> None:
    batch = toy.batch()
    expected = model(batch.times, batch.magnitudes, batch.probing.visible).numpy()
    got, probed = Predictor(model)(batch), batch.probing.probed
    assert got.shape == (5, 20)
    assert got[probed] == pytest.approx(expected[probed], abs=1e-5)


def test_full_and_short_batches_share_one_compilation(toy, model) -> None:
    predictor = Predictor(model)
    whole, probed = predictor(toy.batch()), toy.batch().probing.probed[:2]
    found = predictor(toy.batch((20, 20)))
    assert found[probed] == pytest.approx(whole[:2][probed], abs=1e-5)
    assert predictor._run.experimental_get_tracing_count() == 1


def test_nothing_of_hidden_magnitudes_is_handed_over(toy, model) -> None:
    batch = toy.batch()
    hidden = batch.probing.hidden
    planted = replace(batch, target=np.where(hidden, np.float32(99), batch.target))
    for name, array in network_inputs(batch).items():
        assert network_inputs(planted)[name].tobytes() == array.tobytes()
    assert (network_inputs(batch)["magnitudes"][hidden] == 0).all()
    predictor = Predictor(model)
    assert predictor(batch).tobytes() == predictor(planted).tobytes()


def whole(length: int, count: int) -> list[MicroBatch]:
    return [MicroBatch(np.arange(count), length, count, 0)]


@pytest.mark.parametrize("scored_name", ["probed", "hidden"])
def test_visible_steps_come_first_and_scored_ones_in_one_stretch(toy, scored_name: str) -> None:
    lengths = (20, 7, 13, 2)
    probing = toy.batch(lengths).probing
    scored = getattr(probing, scored_name)
    arrays = {
        "visible": probing.visible,
        "scored": scored,
        "step": np.broadcast_to(np.arange(20), scored.shape),
        "scale": np.arange(4.0)[:, None],
    }
    arranged, stretches = sort_steps(arrays, whole(20, 4), probing, scored)
    first, keys = stretches[20]
    for row in range(4):
        visible, score, step = (arranged[name][row] for name in ("visible", "scored", "step"))
        assert not visible[keys:].any()
        assert not score[:first].any()
        assert score[first : first + score.sum()].all()
        assert (np.diff(visible[first:].astype(int)) <= 0).all()
        assert sorted(step) == list(range(20))
        assert (probing.visible[row, step] == visible).all()
        before = (probing.visible & ~scored)[row].sum()
        assert visible[:before].all()
        assert not probing.observed[row, step[before:first]].any(), "unused steps fill it up"
    assert (arranged["scale"] == arrays["scale"]).all()


def test_steps_keep_their_order_within_a_stretch(toy) -> None:
    probing = toy.batch((20, 20)).probing
    scored = probing.probed
    steps = np.broadcast_to(np.arange(20), scored.shape)
    arranged, _ = sort_steps({"step": steps}, whole(20, 2), probing, scored)
    for row in range(2):
        roles = (probing.visible & ~scored, probing.visible & scored, scored & ~probing.visible)
        expected = np.concatenate([np.flatnonzero(role[row]) for role in roles])
        assert arranged["step"][row].tolist() == expected.tolist()


@pytest.mark.parametrize(
    "masking",
    [MaskingConfig(), MaskingConfig(0.75, 0.1, 0.5), MaskingConfig(1, 0.1, 0), MaskingConfig(0)],
)
def test_stretches_depend_on_the_padded_length_alone(masking) -> None:
    rng, found = np.random.default_rng(0), set()
    for number in range(20):
        lengths = rng.integers(3, 201, 64)
        probing = draw(lengths, 200, masking, seed=[1], first=number)
        parts = plan_micro_batches(lengths, 200, 16)
        _, stretches = sort_steps({}, parts, probing, probing.probed)
        found |= set(stretches.items())
    assert len(found) == len({steps for steps, _ in found})
    assert len(found) <= 40


def test_all_fits_whatever_is_visible_and_scored(toy) -> None:
    """Windows of one visible stretch each, of any length: some are scored and some are not."""
    probing = toy.batch((20, 20)).probing
    scored = np.zeros((2, 20), bool)
    scored[1] = True
    arranged, stretches = sort_steps({"scored": scored}, whole(20, 2), probing, scored)
    assert stretches[20][0] == 0
    assert (arranged["scored"].sum(axis=1) == [0, 20]).all()
