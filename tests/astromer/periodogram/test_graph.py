"""The periodogram in the graph has the power and the peaks of the one in Python."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.periodogram import graph
from astromer.periodogram.lomb_scargle import (
    MOST_FREQUENCIES,
    PeriodogramConfig,
    frequency_grid,
    highest_peaks,
    power_spectrum,
    without_left_out,
)

PEAKS, WIDTH = 10, 8
SCALAR = tf.TensorSpec([], tf.float64)
VALUES = tf.TensorSpec([None], tf.float64)
CONFIG = PeriodogramConfig()

spectrum = tf.function(
    graph.power_spectrum_graph, input_signature=[VALUES] * 3 + [SCALAR, tf.TensorSpec([], tf.int64)]
)


@tf.function(input_signature=[VALUES, SCALAR])
def peaks(power, step):
    return graph.highest_peaks_graph(power, step, PEAKS, WIDTH)


def light_curve(n: int, span: float, gaps: bool = False, seed: int = 0):
    """float64 [n] each: times, magnitudes and errors of a noisy star."""
    rng = np.random.default_rng(seed)
    times = rng.uniform(0, span, n)
    if gaps:  # at night, half of the year
        times = np.floor(times / 365) * 365 + times % 365 / 2
        times = np.floor(times) + 0.3 * rng.normal(size=n)
    times = np.sort(times) + 53000
    errors = rng.uniform(0.02, 0.1, n)
    mag = 12 + 0.3 * np.sin(2 * np.pi * 1.2345 * times) + rng.normal(size=n) * (0.1 + errors)
    return times, mag, errors


def both_spectra(times, mag, errors, config=CONFIG):
    step, number = frequency_grid(times[-1] - times[0], config)
    expected = power_spectrum(times, mag, errors, step, number)
    return spectrum(times, mag, errors**-2, step, number).numpy(), expected, step


@pytest.mark.parametrize(
    ("n", "span", "gaps"),
    [(8, 30, False), (20, 700, False), (200, 700, True), (500, 3000, True), (5000, 300, True)],
)
def test_power_and_peaks_are_those_of_python(n, span, gaps):
    power, expected, step = both_spectra(*light_curve(n, span, gaps))
    np.testing.assert_allclose(power, expected, atol=1e-5)
    found, expected = peaks(power, step), highest_peaks(expected, step, PEAKS, WIDTH)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-3 * step)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-5)


@pytest.mark.parametrize("oversampling", [1, 2, 7])
def test_any_oversampling(oversampling):
    config = PeriodogramConfig(max_frequency=30.0, oversampling=oversampling)
    power, expected, _ = both_spectra(*light_curve(300, 500), config)
    np.testing.assert_allclose(power, expected, atol=1e-5)


def test_observations_in_turns(monkeypatch):
    curve = light_curve(1000, 400)
    whole, *_ = both_spectra(*curve)
    monkeypatch.setattr(graph, "_MOST_VALUES", 18 * 333)  # 333 of them with 3 bands
    step, number = frequency_grid(curve[0][-1] - curve[0][0], CONFIG)
    parts = graph.power_spectrum_graph(
        *map(tf.constant, (curve[0], curve[1], curve[2] ** -2, step)), tf.constant(number, tf.int64)
    )
    np.testing.assert_allclose(parts, whole, atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 8, 50])
@pytest.mark.parametrize("case", ["equal times", "constant magnitudes"])
def test_what_has_no_frequency_has_no_power(n, case):
    times, mag, errors = light_curve(n, 100.0)
    times = np.full(n, 53000.1) if case == "equal times" else times
    mag = np.full(n, 12.3456) if case == "constant magnitudes" else mag
    power = spectrum(times, mag, errors**-2, 0.0025, 4000)
    assert not np.any(power)
    assert not np.any(power_spectrum(times, mag, errors, 0.0025, 4000))
    assert not np.any(peaks(power, 0.0025))


@pytest.mark.parametrize(
    "power",
    [
        [],
        [0.5],
        [0.1, 0.4, 0.2],
        [0.0] * 500,
        [0.3] * 500,
        np.linspace(0, 1, 300),  # after the first peak, shoulders
        np.linspace(1, 0, 300),
        np.random.default_rng(0).uniform(size=3000),
        np.round(np.random.default_rng(0).uniform(size=3000), 2),  # ties
    ],
)
def test_peaks_are_those_of_python(power):
    found = peaks(np.array(power, np.float64), 0.25)
    if len(power):
        expected = highest_peaks(np.array(power, np.float64), 0.25, PEAKS, WIDTH)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        assert not np.any(found)


@pytest.mark.parametrize("span", [0.0, 1e-3, 0.7, 31.7, 2700.123, 45000.0, 1e6])
def test_the_grid_is_that_of_python(span):
    step, number = graph.frequency_grid_graph(tf.constant(span, tf.float64), CONFIG)
    assert (float(step), int(number)) == frequency_grid(span, CONFIG)
    assert int(number) <= MOST_FREQUENCIES


def test_frequencies_that_are_left_out_are_no_peaks():
    config = PeriodogramConfig(left_out=(1.2345, 2.469))
    times, mag, errors = light_curve(200, 700)
    power, expected, step = both_spectra(times, mag, errors)
    assert float(peaks(power, step)[0][0]) == pytest.approx(1.2345, abs=1e-3)

    grid, width = step * np.arange(1.0, len(power) + 1), tf.constant(step, tf.float64)
    kept = graph.without_left_out_graph(tf.constant(power), tf.constant(grid), width, config)
    np.testing.assert_allclose(kept, without_left_out(expected, grid, step, config), atol=1e-5)
    found = peaks(kept, step)[0].numpy()
    assert np.abs(found[found > 0][:, None] - config.left_out).min() > 0.009
