"""The plain input pipeline probes, hides and shows by the package's rules."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.training.epoch import TrainingEpoch
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import counts
from tools.benchmarks.measuring.curves import make_curves, write_records
from tools.benchmarks.plain_input import plain_batches

WINDOW = 40
MASKINGS = [MaskingConfig(), MaskingConfig(0.75, 0.1, 0.5), MaskingConfig(1.0, 0.2, 0.2)]


@pytest.fixture(scope="module")
def curves():
    return make_curves([40] * 30 + [7, 13, 39, 1] * 5 + [100] * 4)


@pytest.fixture(scope="module")
def files(curves, tmp_path_factory):
    return write_records(curves, tmp_path_factory.mktemp("plain") / "records", per_file=20)


def joined(files, masking: MaskingConfig) -> dict[str, np.ndarray]:
    batches = [
        {name: values.numpy() for name, values in batch.items()}
        for batch in plain_batches(files, WINDOW, 16, masking)
    ]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


@pytest.mark.parametrize("masking", MASKINGS)
def test_the_same_numbers_of_steps_are_probed_hidden_and_replaced(curves, files, masking) -> None:
    epoch = TrainingEpoch(
        curves, 0, window_size=WINDOW, batch_size=512, masking=masking, normalise=False, seed=1
    )
    ours = epoch.batch(0).probing
    plain = joined(files, masking)

    def steps(observed, probed, hidden, random):
        each = (part.sum(axis=1) for part in (observed, probed, hidden, random))
        return sorted(zip(*(counted.tolist() for counted in each)))

    got = steps(*(plain[name] for name in ("observed", "probed", "hidden", "random")))
    assert got == steps(ours.observed, ours.probed, ours.hidden, ours.random)
    assert not (plain["probed"] & ~plain["observed"]).any()
    assert not (plain["hidden"] & ~plain["probed"]).any()
    assert not (plain["random"] & ~plain["probed"]).any()


@pytest.mark.parametrize("masking", MASKINGS)
def test_what_is_shown_follows_the_same_rules(files, masking) -> None:
    plain = joined(files, masking)
    hidden, random, observed = plain["hidden"], plain["random"], plain["observed"]
    truthful = observed & ~hidden & ~random
    assert (plain["visible"][observed] == ~hidden[observed]).all()
    assert not plain["visible"][~observed].any()
    assert (plain["magnitudes"][~plain["visible"]] == 0).all()
    assert (plain["magnitudes"][truthful] == plain["target"][truthful]).all()
    for row in range(len(observed)):
        lent = plain["magnitudes"][row][random[row]]
        assert np.isin(lent, plain["target"][row][truthful[row]]).all()
        if truthful[row].any():
            assert plain["target"][row][truthful[row]].mean() == pytest.approx(0, abs=1e-4)
    assert (plain["target"][~observed] == 0).all()
    assert (plain["errmag"][~observed] == 1).all()
    assert plain["times"].sum(axis=1) == pytest.approx(0, abs=0.02)


def test_every_step_is_equally_likely_to_be_hidden(tmp_path) -> None:
    files = write_records(make_curves([20] * 3000), tmp_path / "records")
    hidden = np.concatenate(
        [batch["hidden"].numpy() for batch in plain_batches(files, 20, 500, MaskingConfig())]
    )
    _, same, random = counts(np.array([20]), MaskingConfig())
    share = (10 - same[0] - random[0]) / 20
    assert np.abs(hidden.mean(axis=0) - share).max() < 6 * np.sqrt(share * (1 - share) / 3000)


def test_masks_are_fresh_each_epoch_from_memory_too(files) -> None:
    dataset = plain_batches(files, WINDOW, 512, MaskingConfig(), cache=True)
    first, second = (next(iter(dataset))["hidden"].numpy() for _ in range(2))
    assert first.shape == second.shape
    assert (first != second).any()
