"""Training of the phase encoder: draws of masks with periods, resumed runs, replicas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.training import epoch as epochs
from astromer.training import loop
from astromer.training.epoch import MaskDraws, TrainingEpoch
from astromer.windows.config import MaskingConfig

SETTINGS: dict[str, Any] = {"epochs": 3, "mask_draws": 2}


STEPS_PER_EPOCH = 4


class Killed(BaseException):
    """Ends a run on the spot."""


@pytest.fixture(scope="module")
def uninterrupted(phase_run, tmp_path_factory: pytest.TempPathFactory):
    return phase_run(tmp_path_factory.mktemp("uninterrupted"), **SETTINGS)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4])
def test_a_run_killed_between_steps_ends_with_the_same_bits(
    phase_run, uninterrupted, bits, tmp_path: Path, step: int
) -> None:
    begun = loop.TrainStep.__call__

    def call(self, batch, number: int):
        if number == step:
            raise Killed
        return begun(self, batch, number)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(loop.TrainStep, "__call__", call)
        phase_run(tmp_path, **SETTINGS)

    searches, search = [], epochs.periods_of_windows

    def counted(*args: Any, **kwargs: Any):
        searches.append(args)
        return search(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epochs, "periods_of_windows", counted)
        result = phase_run(tmp_path, **SETTINGS)
    assert len(searches) == (1 if step < STEPS_PER_EPOCH else 0)  # the others are in files
    assert bits.same(bits.of(result.model), bits.of(uninterrupted.model))
    assert result.resumed


@pytest.mark.slow
def test_no_two_steps_have_one_number(phase_run, tmp_path: Path) -> None:
    """The number decides on dropout; the windows of two draws differ in number."""
    numbers, take = [], loop.TrainStep.__call__

    def call(self, batch, number: int):
        numbers.append(number)
        return take(self, batch, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.TrainStep, "__call__", call)
        phase_run(tmp_path, **SETTINGS, batch_size=1)
    assert np.diff(numbers).min() == 1
    assert np.diff(numbers).max() > 1


@pytest.mark.slow
def test_the_spread_is_calibrated_on_validation(uninterrupted) -> None:
    model = uninterrupted.model
    factor = float(np.asarray(model.spread.factor))
    assert factor > 0
    assert factor != 1
    assert "val_hidden_within_1_sigma" in uninterrupted.history[-1]


def test_precision_and_passes_change_rounding_alone(phase_run, uninterrupted, tmp_path) -> None:
    expected = uninterrupted.history[-1]["val_hidden_rmse"]
    for number, changes in enumerate(
        ({"windows_per_pass": 2}, {"precision": "mixed_bfloat16"}), start=1
    ):
        got = phase_run(tmp_path / str(number), **SETTINGS, **changes).history[-1]
        assert got["val_hidden_rmse"] == pytest.approx(expected, rel=0.05 * number**2)


def test_two_replicas_train_as_one_does(phase_run, tmp_path: Path) -> None:
    process = phase_run.start({tmp_path / "two": {**SETTINGS, "replicas": 2}})
    one = phase_run(tmp_path / "one", **SETTINGS)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    with np.load(tmp_path / "two" / "result.npz") as two:
        for variable in one.model.variables:
            if not variable.path.endswith(("qkv/bias", "spread_factor")):
                got = two[variable.path]
                assert got == pytest.approx(np.asarray(variable), abs=1e-3), variable.path


@pytest.fixture
def draws(toy, tmp_path: Path) -> MaskDraws:
    return make_draws(toy.curves((30, 20, 50, 7, 45)), tmp_path)


def make_draws(curves, folder: Path, fingerprint: str = "mine") -> MaskDraws:
    return MaskDraws(
        curves,
        2,
        window_size=20,
        masking=MaskingConfig(),
        seed=42,
        periodogram=PeriodogramConfig(),
        folder=folder,
        fingerprint=fingerprint,
    )


def test_windows_of_a_draw_cover_each_light_curve_once(draws) -> None:
    cuts = set()
    for number in range(2):
        windows = draws.windows(number)
        steps = [np.arange(s, s + n) for s, n in zip(windows.start, windows.length)]
        assert np.concatenate(steps).tolist() == list(range(draws.curves.num_observations))
        assert windows.length.max() <= 20
        cuts.add(windows.start.tobytes())
    assert len(cuts) == 2


def test_batches_are_those_of_the_draw_whatever_their_order(draws) -> None:
    def epoch(number: int, size: int) -> TrainingEpoch:
        return TrainingEpoch(
            draws.curves,
            number,
            window_size=20,
            batch_size=size,
            masking=MaskingConfig(),
            normalise=True,
            seed=42,
            draws=draws,
        )

    def by_start(number: int, size: int) -> dict[int, bytes]:
        made = epoch(number, size)
        found = {}
        for step in range(len(made)):
            batch = made.batch(step)
            starts = made.windows.start[step * size : (step + 1) * size]
            for row, start in enumerate(starts.tolist()):
                found[start] = batch.probing.hidden[row].tobytes() + b"".join(
                    array[row].tobytes() for array in batch.folded.values()
                )
        return found

    first = by_start(0, 4)
    assert by_start(0, 3) == first
    assert by_start(2, 4) == first  # the draw comes again, in another order
    assert epoch(2, 4).windows.start.tolist() != epoch(0, 4).windows.start.tolist()
    assert by_start(1, 4) != first


def test_files_of_another_run_or_damaged_ones_are_not_read(draws, tmp_path: Path) -> None:
    found = draws.periods(0)
    path = tmp_path / "periods-0.npz"
    again = make_draws(draws.curves, tmp_path)
    assert again._read(path).frequencies.tobytes() == found.frequencies.tobytes()
    assert make_draws(draws.curves, tmp_path, "other")._read(path) is None
    path.write_bytes(path.read_bytes()[:100])
    assert again._read(path) is None
    assert again.periods(0).frequencies.tobytes() == found.frequencies.tobytes()


def test_a_search_that_is_given_up_leaves_nothing(draws, tmp_path: Path) -> None:
    assert not draws.find(0, lambda: True)
    assert list(tmp_path.iterdir()) == []
