"""The phase encoder: what it is given, that nothing hidden reaches it, and what its fits are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder import phase_features as features
from astromer.encoder.config import PHASE, EncoderConfig
from astromer.encoder.encoder import Encoder
from astromer.encoder.folding import periods_of_windows, prepare
from astromer.encoder.inference import Predictor, network_inputs, sort_steps
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurve, LightCurves
from astromer.periodogram.curve_periods import CurvePeriods
from astromer.periodogram.lomb_scargle import HarmonicSeries, PeriodogramConfig
from astromer.system.errors import UsageError
from astromer.windows.batches import MicroBatch, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, mask_seed

WINDOW = 40
PERIODS = (0.57, 3.3, 0.21)
LENGTHS = (175, 80, 110)


@pytest.fixture(scope="module")
def curves() -> LightCurves:
    """Stars whose error bars tell their magnitudes, as in many surveys."""
    rng = np.random.default_rng(5)

    def star(period: float, length: int) -> LightCurve:
        mjd = 55000 + np.sort(rng.uniform(0, 300, length))
        angle = 2 * np.pi * mjd / period
        mag = 15 + 0.4 * np.sin(angle) + 0.2 * np.cos(2 * angle) + rng.normal(0, 0.02, length)
        errmag = 0.02 * 10 ** (0.3 * (mag - 15))
        return LightCurve(mjd, mag.astype(np.float32), errmag.astype(np.float32), id=str(period))

    return LightCurves.from_curves(star(*one) for one in zip(PERIODS, LENGTHS))


@pytest.fixture(scope="module")
def masked(curves):
    windows = sequential_windows(curves.offsets, WINDOW)
    probing = draw(windows.length, WINDOW, MaskingConfig(), seed=mask_seed(3), first=0)
    return windows, probing


@pytest.fixture(scope="module")
def periods(curves, masked) -> CurvePeriods:
    return periods_of_windows(curves, [masked], PeriodogramConfig())


@pytest.fixture(scope="module")
def model(toy):
    return toy.model("astromer_phase", window_size=WINDOW)


def batch_of(model, curves, masked, periods=None):
    return prepare(model, curves, *masked, periods)


def test_periods_come_from_the_whole_light_curve(periods) -> None:
    assert 1 / periods.frequencies[:, 0] == pytest.approx(PERIODS, rel=1e-3)
    assert 1 / periods.frequencies[:, 1] == pytest.approx(PERIODS, rel=1e-3)
    assert (periods.false_alarm < 1e-3).all()


@pytest.mark.parametrize("planted", [1e4, np.nan, -5.0])
def test_hidden_magnitudes_and_errors_change_no_bit(model, curves, masked, planted) -> None:
    windows, probing = masked
    steps = windows.start[:, None] + np.arange(WINDOW)
    hidden = np.unique(steps[probing.hidden])
    mag, errmag = curves.mag.copy(), curves.errmag.copy()
    mag[hidden], errmag[hidden] = planted, abs(planted)
    changed = replace(curves, mag=mag, errmag=errmag)
    one, other = (batch_of(model, some, masked) for some in (curves, changed))
    for name, array in network_inputs(one).items():
        assert array.tobytes() == network_inputs(other)[name].tobytes(), name
    assert Predictor(model)(one).tobytes() == Predictor(model)(other).tobytes()


def test_the_error_bar_of_a_hidden_step_is_hidden(model, curves, masked, periods) -> None:
    _, probing = masked
    folded = batch_of(model, curves, masked, periods).folded
    assert (folded["errmag"][~probing.visible] == 0).all()
    assert (folded["errmag"][probing.visible] > 0).all()


def test_phases_are_those_of_half_the_frequency(model, curves, masked, periods) -> None:
    windows, _ = masked
    phases = batch_of(model, curves, masked, periods).folded["phases"]
    for row, curve in enumerate(windows.curve):
        n, start = windows.length[row], windows.start[row]
        elapsed = curves.mjd[start : start + n] - curves.mjd[curves.offsets[curve]]
        expected = np.exp(1j * np.pi * elapsed[:, None] * periods.frequencies[curve])
        assert np.exp(2j * np.pi * phases[row, :n]) == pytest.approx(expected, abs=1e-5)


@pytest.fixture(scope="module")
def found(model, curves, masked, periods):
    """What the encoder reads of the windows, and the batch."""
    batch = batch_of(model, curves, masked, periods)
    inputs = {name: tf.constant(array) for name, array in network_inputs(batch).items()}
    return features.phase_features(**inputs), batch


def test_fits_are_the_series_least_squares_and_interpolation(found, masked, periods) -> None:
    fits, batch = found[0].fits.numpy(), found[1]
    windows, probing = masked
    for row, curve in enumerate(windows.curve):
        n, visible = windows.length[row], probing.visible[row]
        shown = batch.magnitudes[row, visible].astype(float)
        edge = 0.1 * np.ptp(shown)

        def within(values, low=shown.min() - edge, high=shown.max() + edge):
            return pytest.approx(np.clip(values, low, high), abs=2e-4)

        half = batch.folded["phases"][row, :n].astype(float)
        real, imaginary = np.split(periods.series[curve] / batch.scale[row], 2)
        coefficients = real + 1j * imaginary
        coefficients[0] -= batch.centre[row] / batch.scale[row]
        series = HarmonicSeries(1.0, coefficients)
        assert fits[row, :n, 0] == within(series(2 * half[:, 0]))

        error = np.maximum(batch.errmag[row, visible], 0.01).astype(float)
        weights = error**-2 / np.mean(error**-2)
        time = batch.times[row, :n] / np.abs(batch.times[row, :n]).max()
        bases = [_waves(2 * half[:, 0]), _waves(2 * half[:, 1]), _waves(half[:, 1])]
        bases.append(time[:, None] ** np.arange(4))
        for number, basis in enumerate(bases, start=1):
            seen = basis[visible[:n]]
            gram = seen.T @ (seen * weights[:, None]) + 0.01 * len(seen) * np.eye(seen.shape[1])
            solution = np.linalg.solve(gram, seen.T @ (weights * shown))
            assert fits[row, :n, number] == within(basis @ solution), number
        between = np.interp(batch.times[row, :n], batch.times[row, visible], shown)
        assert fits[row, :n, -1] == pytest.approx(between, abs=1e-4)


def _waves(cycles: np.ndarray) -> np.ndarray:
    angles = 2 * np.pi * cycles[:, None] * np.arange(1, features.HARMONICS + 1)
    return np.concatenate([np.ones((len(cycles), 1)), np.sin(angles), np.cos(angles)], axis=1)


def test_a_step_does_not_see_itself_among_its_neighbours(found, masked) -> None:
    columns, batch = found[0].columns.numpy(), found[1]
    _, probing = masked
    start = 3 + 2 * features.HARMONICS * 5 + 2 * features.NUM_FITS
    row, visible = 0, np.flatnonzero(probing.visible[0])
    for place in (0, 1, 7):
        step = visible[place]
        before = columns[row, step, start : start + 6 : 2]
        expected = [
            batch.magnitudes[row, visible[place - k]] if place >= k else 0 for k in (1, 2, 3)
        ]
        assert before == pytest.approx(expected)


def test_training_predicts_as_evaluation_does(model, curves, masked, periods) -> None:
    """In training the steps are sorted and no frequency is dropped without a key."""
    batch = batch_of(model, curves, masked, periods)
    expected = model(**network_inputs(batch)).numpy()
    probing = batch.probing
    assert Predictor(model)(batch)[probing.probed] == pytest.approx(
        expected[probing.probed], abs=2e-4
    )
    arrays = {**network_inputs(batch), "expected": expected, "observed": probing.observed}
    parts = [MicroBatch(np.arange(len(batch)), WINDOW, len(batch), 0)]
    arrays, stretches = sort_steps(arrays, parts, probing, probing.probed)
    expected, observed = arrays.pop("expected"), arrays.pop("observed")
    shown = arrays["visible"]
    order = model.encoder.order(tf.constant(shown), stretches[WINDOW][1])
    x = model.encoder.embed(**{name: tf.constant(array) for name, array in arrays.items()})
    z = model.encoder.run(x, order)[-1]
    got = model.magnitudes(z.value(), x.fits, x.scatter).numpy()
    assert got[observed] == pytest.approx(expected[observed], abs=2e-4)


@pytest.mark.parametrize("length", [1, 2, 7])
def test_light_curves_without_a_period_are_finite(model, length: int) -> None:
    curve = LightCurve(
        np.arange(length) + 55000.0,
        np.full(length, 15, np.float32),
        np.full(length, np.nan, np.float32),
    )
    curves = LightCurves.from_curves([curve])
    windows = sequential_windows(curves.offsets, WINDOW)
    probing = draw(windows.length, WINDOW, MaskingConfig(), seed=[1], first=0)
    predicted = Predictor(model)(batch_of(model, curves, (windows, probing)))
    assert np.isfinite(predicted[probing.observed]).all()
    assert predicted[probing.observed] == pytest.approx(0, abs=10)


def test_fresh_heads_weigh_the_fits_by_their_scatter(curves, masked, periods) -> None:
    shape = EncoderConfig("astromer_phase", 8, 2, 1, window_size=WINDOW)
    model = Reconstructor.from_settings(shape, seed=1)
    assert model.normalise
    batch = batch_of(model, curves, masked, periods)
    inputs = {name: tf.constant(array) for name, array in network_inputs(batch).items()}
    found = features.phase_features(**inputs)
    shares = np.exp(-8 * found.scatter.numpy())
    shares /= shares.sum(axis=1, keepdims=True)
    expected = np.einsum("bsf,bf->bs", found.fits.numpy(), shares[:, :-1])
    observed = batch.probing.observed
    assert model(**inputs).numpy()[observed] == pytest.approx(expected[observed], abs=2e-4)
    # Stars of one clean period: what knows it is trusted, time and the mean are not.
    assert (shares[:, [4, 5, 8, 9, 10]].sum(axis=1) < 0.2).all()


def test_local_fits_are_robust_weighted_lines_through_other_steps(found, masked) -> None:
    fits, batch = found[0].fits.numpy(), found[1]
    row = 0
    visible = np.flatnonzero(masked[1].visible[row])
    shown = batch.magnitudes[row, visible].astype(float)
    phase = batch.folded["phases"][row, :, 0].astype(float)
    edge = 0.1 * np.ptp(shown)

    def line(step: int, weights: np.ndarray) -> float:
        angle, radius = 4 * np.pi * (phase[visible] - phase[step]), len(visible) / (3 * np.pi)
        away, squared = radius * np.sin(angle), 2 * radius**2 * (1 - np.cos(angle))
        w = weights * (visible != step) / (1 + squared) ** 2
        t1, t2 = (w * away).sum(), (w * away**2).sum() + 0.1 * w.sum()
        y0, y1 = (w * shown).sum(), (w * away * shown).sum()
        return (t2 * y0 - t1 * y1) / (w.sum() * t2 - t1**2)

    first = np.array([line(step, np.ones(len(visible))) for step in visible])
    residual = np.abs(shown - first)
    median = max(np.sort(residual)[(len(visible) - 1) // 2], 1e-3)
    trusted = np.maximum(1 - (residual / (4.685 * 1.4826 * median)) ** 2, 0) ** 2
    expected = [line(step, trusted) for step in range(int(masked[0].length[row]))]
    expected = np.clip(expected, shown.min() - edge, shown.max() + edge)
    assert fits[row, : len(expected), 6] == pytest.approx(expected, abs=2e-3)


def test_a_wrong_step_is_left_out_of_interpolation() -> None:
    times = np.arange(40, dtype=np.float32)[None] - 20
    magnitudes = (0.1 * times + 0.05 * (-1) ** np.arange(40)).astype(np.float32)
    magnitudes[0, 17] = 3.0
    visible = np.ones((1, 40), bool)
    visible[0, [16, 30]] = False
    zeros = np.zeros((1, 40), np.float32)
    found = features.phase_features(
        tf.constant(times),
        tf.constant(magnitudes),
        tf.constant(visible),
        tf.constant(zeros),
        tf.zeros([1, 40, 4]),
        tf.zeros([1, 1, features.NUM_COEFFICIENTS]),
        tf.zeros([1, 1, features.SEARCH]),
    )
    agreeing, every = found.fits.numpy()[0, :, 8], found.fits.numpy()[0, :, 9]
    truth = 0.1 * times[0]
    assert agreeing == pytest.approx(truth, abs=0.1)
    assert every[16] - truth[16] > 1
    assert found.scatter.numpy()[0, 8] < found.scatter.numpy()[0, 9]


def test_a_period_that_is_left_out_is_not_found(toy, curves, masked) -> None:
    """An encoder is told where to search, and so is what it exports."""
    model = toy.model(PHASE, left_out_frequencies=f"{1 / PERIODS[0]}, 7")
    assert model.encoder.periodogram.left_out == (1 / PERIODS[0], 7.0)
    found = periods_of_windows(curves, [masked], model.encoder.periodogram).frequencies
    assert np.abs(found - 1 / PERIODS[0]).min() > 0.009
    assert Encoder(**model.encoder.settings).periodogram == model.encoder.periodogram


@pytest.mark.parametrize("text", ["1 two", "-1", "0", "inf", "nan"])
def test_frequencies_to_leave_out_must_be_numbers(text) -> None:
    with pytest.raises(UsageError, match="--leave-out-frequencies must be positive numbers"):
        EncoderConfig(PHASE, left_out_frequencies=text)
