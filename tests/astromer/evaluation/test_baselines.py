from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astromer.evaluation.baselines import linear_interpolation, window_mean
from astromer.light_curves import LightCurve, LightCurves
from astromer.windows.batches import Batch, assemble, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import Probing, draw


def naive_interpolation(batch: Batch) -> np.ndarray:
    """The definition, step by step."""
    predicted = np.zeros(batch.target.shape)
    for row, truthful in enumerate(batch.probing.truthful):
        known = [i for i in range(len(truthful)) if truthful[i]]
        time, target, errmag = (
            [float(v) for v in values[row]] for values in (batch.times, batch.target, batch.errmag)
        )
        for step in range(len(truthful)):
            before = [i for i in known if i <= step]
            after = [i for i in known if i >= step]
            if not known:
                continue
            if not before or not after:
                predicted[row, step] = target[(before or after)[-1 if before else 0]]
                continue
            a, b = before[-1], after[0]
            gap = time[b] - time[a]
            share = (time[step] - time[a]) / gap if gap else 0.5
            weights = (1 - share) / errmag[a] ** 2, share / errmag[b] ** 2
            value = weights[0] * target[a] + weights[1] * target[b]
            predicted[row, step] = value / sum(weights)
    return predicted


def batch_of(mjd: list[float], mag: list[float], errmag: list[float], hidden: list[int]) -> Batch:
    """One window with chosen hidden steps."""
    curve = LightCurve(np.array(mjd), np.array(mag, np.float32), np.array(errmag, np.float32))
    curves = LightCurves.from_curves([curve])
    observed = np.ones((1, len(mjd)), bool)
    chosen = np.zeros_like(observed)
    chosen[0, hidden] = True
    nothing = np.zeros_like(observed)
    donor = np.arange(len(mjd))[None, :]
    probing = Probing(observed, chosen, nothing, nothing, chosen, donor)
    return assemble(curves, sequential_windows(curves.offsets, len(mjd)), probing)


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=4),
    st.integers(0, 1000),
    st.tuples(*[st.integers(0, 10).map(lambda tenth: tenth / 10)] * 3).filter(
        lambda shares: shares[:2] != (1, 0)  # the config refuses it
    ),
    st.booleans(),
)
def test_interpolation_is_the_naive_one_at_observed_steps(
    toy, lengths: list[int], seed: int, shares: tuple[float, float, float], normalise: bool
) -> None:
    batch = toy.batch(lengths, 20, MaskingConfig(*shares), seed, normalise)
    observed = batch.probing.observed
    got, expected = linear_interpolation(batch), naive_interpolation(batch)
    assert got.dtype == np.float32
    assert got[observed] == pytest.approx(expected[observed], rel=1e-5, abs=1e-5)
    assert np.isfinite(got).all()


def test_with_equal_errors_it_is_linear_interpolation(toy) -> None:
    batch = toy.batch([20, 20, 9])
    batch = dataclasses.replace(batch, errmag=np.full_like(batch.errmag, 0.03))
    got = linear_interpolation(batch)
    for row, truthful in enumerate(batch.probing.truthful):
        length = batch.probing.observed[row].sum()
        times, target = batch.times[row], batch.target[row]
        expected = np.interp(times[:length], times[truthful], target[truthful])
        assert got[row, :length] == pytest.approx(expected, abs=1e-5)


def test_the_better_measured_neighbour_counts_more() -> None:
    batch = batch_of([0, 1, 2], [10, 0, 11], [0.01, 0.5, 0.1], hidden=[1])
    predicted = linear_interpolation(batch)[0, 1] + batch.centre[0]
    assert predicted == pytest.approx((10 * 1e4 + 11 * 1e2) / (1e4 + 1e2), abs=1e-5)


def test_beyond_the_edges_the_nearest_step_is_repeated() -> None:
    batch = batch_of([0, 1, 2, 3, 4], [0, 10, 11, 0, 0], [0.1] * 5, hidden=[0, 3, 4])
    predicted = linear_interpolation(batch)[0] + batch.centre[0]
    assert predicted == pytest.approx([10, 10, 11, 11, 11], abs=1e-5)


def test_equal_times_and_a_single_truthful_step() -> None:
    batch = batch_of([5, 5, 5], [10, 0, 12], [0.1, 0.1, 0.1], hidden=[1])
    assert linear_interpolation(batch)[0, 1] + batch.centre[0] == pytest.approx(11, abs=1e-5)
    batch = batch_of([0, 1, 2], [0, 12, 0], [0.1] * 3, hidden=[0, 2])
    assert linear_interpolation(batch)[0] + batch.centre[0] == pytest.approx([12] * 3, abs=1e-5)


def test_baselines_never_read_hidden_or_borrowed_magnitudes(toy) -> None:
    curves = toy.curves([20, 33, 7])
    windows = sequential_windows(curves.offsets, 20)
    probing = draw(windows.length, 20, MaskingConfig(0.8, 0.2, 0.5), seed=[1], first=0)
    batch = assemble(curves, windows, probing)
    target = np.where(probing.truthful, batch.target, np.float32(np.nan))
    planted = dataclasses.replace(batch, target=target)
    for baseline in (window_mean, linear_interpolation):
        assert baseline(batch).tobytes() == baseline(planted).tobytes()


def test_window_mean_is_the_mean_of_the_truthful_steps(toy) -> None:
    batch = toy.batch()
    for row, truthful in enumerate(batch.probing.truthful):
        assert batch.target[row][truthful].mean() == pytest.approx(0, abs=1e-5)
    assert (window_mean(batch) == 0).all()
    assert window_mean(batch).shape == batch.target.shape
