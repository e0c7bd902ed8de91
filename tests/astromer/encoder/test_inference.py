from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from astromer.encoder.inference import Predictor, network_inputs


@pytest.fixture(scope="module")
def model(toy):
    return toy.model("astromer_v2")


def test_it_is_the_model(toy, model) -> None:
    batch = toy.batch()
    expected = model(batch.times, batch.magnitudes, batch.probing.visible).numpy()
    got = Predictor(model)(batch)
    assert got.shape == (5, 20)
    assert got == pytest.approx(expected, abs=1e-5)


def test_full_and_short_batches_share_one_compilation(toy, model) -> None:
    predictor = Predictor(model)
    whole = predictor(toy.batch())
    assert predictor(toy.batch((20, 20))) == pytest.approx(whole[:2], abs=1e-5)
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
