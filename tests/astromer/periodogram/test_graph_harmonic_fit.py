"""Harmonic series in the graph are those of Python, on planted and on real light curves."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from astromer.periodogram import graph
from astromer.periodogram.graph import fit_harmonics_graph
from astromer.periodogram.lomb_scargle import (
    PeriodogramConfig,
    fit_harmonics,
    frequency_grid,
    highest_peaks,
    power_spectrum,
)

SCALAR = tf.TensorSpec([], tf.float64)
VALUES = tf.TensorSpec([None], tf.float64)
STEP = np.float64(1 / 1600)


@tf.function(input_signature=[VALUES] * 3)
def fit(times, magnitudes, frequencies):
    return fit_harmonics_graph(times, magnitudes, frequencies, STEP, 16000)


def star(n: int, harmonics: int, noise: float, seed: int = 0):
    """float64 [n] each, times and magnitudes at 0.4 cycles a day."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 400, n))
    phase = 2 * np.pi * 0.4 * times
    shape = sum(np.sin(h * phase + h) / h for h in range(1, harmonics + 1))
    return times, shape + noise * rng.normal(size=n)


def padded(series) -> np.ndarray:
    return np.pad(series.coefficients, (0, 7 - len(series.coefficients)))


@pytest.mark.parametrize("harmonics", [1, 2, 6])
@pytest.mark.parametrize("n", [9, 30, 200, 5000])
def test_the_series_is_that_of_python(n, harmonics):
    times, mag = star(n, harmonics, 0.1)
    candidates = np.array([0.4 + 0.3 * STEP, 0.8, 1.4, 0.0])
    frequency, coefficients = fit(times, mag, candidates)
    expected = fit_harmonics(times, mag, candidates, STEP, 16000)
    if expected is None:
        assert frequency == 0
    else:
        assert float(frequency) == pytest.approx(expected.frequency, abs=1e-12)
        np.testing.assert_allclose(coefficients, padded(expected), atol=1e-9)


def test_half_of_a_candidate_is_found():
    times, mag = star(300, 2, 0.1)
    frequency, _ = fit(times, mag, np.array([0.8]))
    assert float(frequency) == pytest.approx(0.4, abs=STEP / 5)


def test_observations_in_turns(monkeypatch):
    times, mag = star(500, 3, 0.1)
    whole = fit(times, mag, np.array([0.4]))
    monkeypatch.setattr(graph, "_TURN", 99)
    arguments = map(tf.constant, (times, mag, np.array([0.4]), STEP))
    parts = fit_harmonics_graph(*arguments, 16000)
    np.testing.assert_allclose(parts[1], whole[1], atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 5, 8, 9, 60])
@pytest.mark.parametrize("case", ["constant", "equal times", "noise", "no candidate"])
def test_where_no_series_is_better_the_mean_is_alone(n, case):
    times, mag = star(n, 1, 0.1)
    mag = {"constant": np.full(n, 0.25), "noise": np.random.default_rng(1).normal(size=n)}.get(
        case, mag
    )
    times = np.full(n, 3.0) if case == "equal times" else times
    frequency, coefficients = fit(times, mag, np.zeros(2) if case == "no candidate" else [0.9, 0.4])
    assert frequency == 0
    mean = mag.mean() if n else 0.0
    np.testing.assert_allclose(coefficients, [mean, *np.zeros(6)], atol=1e-12)


def test_fewer_orders_and_offsets():
    times, mag = star(200, 2, 0.1)
    arguments = map(tf.constant, (times, mag, np.array([0.4]), STEP))
    frequency, coefficients = fit_harmonics_graph(*arguments, 16000, (1, 2), (-0.5, 0.0, 0.5))
    assert float(frequency) == pytest.approx(0.4, abs=1e-12)
    assert coefficients.shape == (3,)


@tf.function(input_signature=[VALUES, VALUES, VALUES])
def search(times, magnitudes, weights):
    step, number = graph.frequency_grid_graph(times[-1] - times[0], PeriodogramConfig())
    power = graph.power_spectrum_graph(times, magnitudes, weights, step, number)
    peaks, powers = graph.highest_peaks_graph(power, step, 3, 8)
    residual = magnitudes - tf.reduce_mean(magnitudes)
    series = fit_harmonics_graph(times, residual, tf.round(peaks / step) * step, step, number)
    return peaks, powers, *series


def test_real_light_curves(shared):
    """The same highest peak in 99.5 % of light curves, frequency and power to 1e-3."""
    file = min((shared / "data" / "asas" / "light_curves").glob("*.parquet"))
    table = pq.read_table(file).sort_by([("newID", "ascending"), ("mjd", "ascending")])
    columns = (table[name].to_numpy() for name in ("newID", "mjd", "mag", "errmag"))
    names, *values = columns
    starts = np.flatnonzero(np.diff(names, prepend=-1))
    curves = list(zip(*(np.split(column, starts[1:]) for column in values)))[::12]
    same_peak, same_series = [], []
    for mjd, mag, errors in curves:
        times, mag, errors = mjd - mjd[0], mag.astype(np.float64), errors.astype(np.float64)
        step, number = frequency_grid(times[-1], PeriodogramConfig())
        peaks, powers = highest_peaks(power_spectrum(times, mag, errors, step, number), step, 3, 8)
        grid = np.round(peaks / step) * step
        series = fit_harmonics(times, mag - mag.mean(), grid, step, number)
        found = [value.numpy() for value in search(times, mag, errors**-2)]
        expected = [peaks[0], powers[0]]
        same_peak.append(np.allclose([found[0][0], found[1][0]], expected, rtol=1e-3, atol=0))
        same_series.append(
            found[2] == 0
            if series is None
            else np.allclose(found[3], padded(series), atol=1e-3)
            and abs(found[2] - series.frequency) < 1e-3 * step
        )
    print(f"{len(curves)} light curves: {np.mean(same_peak):.4f}, {np.mean(same_series):.4f}")
    assert len(curves) >= 100
    assert np.mean(same_peak) >= 0.995
    assert np.mean(same_series) >= 0.995
