from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.records.config import LightCurveRules
from astromer.serving.graph_input import GraphObservations
from astromer.serving.windowing import GraphWindows, cut_observations, usable_values
from astromer.windows.batches import assemble, sequential_windows
from astromer.windows.masking import nothing_probed


def padded(curves):
    width = int(curves.lengths.max())
    arrays = [np.full((len(curves), width), np.nan) for _ in range(3)]
    for row in range(len(curves)):
        for array, name in zip(arrays, ("mjd", "mag", "errmag")):
            array[row, : curves.lengths[row]] = getattr(curves[row], name)
    mjd, mag, errmag = arrays
    return mjd, mag.astype(np.float32), errmag.astype(np.float32), curves.lengths


def usable_steps(mjd, mag, errmag, length, shown, rules) -> tf.Tensor:
    inside = np.arange(mag.shape[1])[None, :] < length[:, None]
    return inside & usable_values(mjd, mag, errmag, shown, rules)


def cut_windows(mjd, mag, usable, shown, window_size: int, normalise: bool) -> GraphWindows:
    index = tf.where(usable)
    magnitudes = tf.boolean_mask(mag, usable)
    observations = GraphObservations(
        mjd=tf.boolean_mask(mjd, usable),
        mag=magnitudes,
        errmag=tf.zeros_like(magnitudes),
        row=index[:, 0],
        position=index[:, 1],
        problem=tf.zeros(len(mjd), tf.int32),
    )
    return cut_observations(observations, tf.boolean_mask(shown, usable), window_size, normalise)


@pytest.mark.parametrize("normalise", [False, True], ids=["raw", "normalised"])
def test_windows_in_the_graph_are_those_of_the_training(toy, normalise: bool) -> None:
    curves = toy.curves([1, 4, 19, 20, 21, 40, 93])
    mjd, mag, errmag, length = padded(curves)
    usable = usable_steps(mjd, mag, errmag, length, np.ones(mag.shape, bool), LightCurveRules())
    graph = cut_windows(mjd, mag, usable, np.ones_like(mag, bool), 20, normalise)
    windows = sequential_windows(curves.offsets, 20)
    batch = assemble(curves, windows, nothing_probed(windows.length, 20), normalise=normalise)
    assert graph.row.numpy().tolist() == windows.curve.tolist()
    assert graph.observed.numpy().tolist() == batch.probing.observed.tolist()
    assert graph.visible.numpy().tolist() == batch.probing.visible.tolist()
    assert graph.times.numpy() == pytest.approx(batch.times, abs=1e-6)
    assert graph.magnitudes.numpy() == pytest.approx(batch.magnitudes, abs=1e-5)
    assert graph.centre.numpy() == pytest.approx(batch.centre, abs=1e-6)
    assert graph.scale.numpy() == pytest.approx(batch.scale, rel=1e-5)
    assert graph.num_observations.numpy().tolist() == curves.lengths.tolist()


def test_which_steps_are_usable() -> None:
    nan, inf = np.nan, np.inf
    mjd = np.array([[1, nan, 3, inf, 5, 6, 7, 8, 9.0]])
    mag = np.array([[1, 2, nan, 4, 5, 6, 7, 8, 9]], np.float32)
    errmag = np.array([[0.1, 0.1, 0.1, 0.1, 0, 1, nan, 0.1, 0.1]], np.float32)
    shown = np.ones(mag.shape, bool)
    got = usable_steps(mjd, mag, errmag, np.array([8]), shown, LightCurveRules()).numpy()[0]
    assert np.flatnonzero(got).tolist() == [0, 6, 7]
    # What is not shown need not be there, or make sense; its time must.
    got = usable_steps(mjd, mag, errmag, np.array([8]), ~shown, LightCurveRules()).numpy()[0]
    assert np.flatnonzero(got).tolist() == [0, 2, 4, 5, 6, 7]


def test_sentinels_and_other_time_systems_are_not_usable() -> None:
    mjd = np.array([[59000.0, 59001.0, 2459002.5]])
    mag = np.array([[15.0, 99.999, 15.1]], np.float32)
    errmag = np.full((1, 3), 0.1, np.float32)
    shown = np.ones((1, 3), bool)
    got = usable_steps(mjd, mag, errmag, np.array([3]), shown, LightCurveRules()).numpy()[0]
    assert got.tolist() == [True, False, False]


def test_positions_lead_back_to_the_input() -> None:
    mjd = np.array([[5.0, 3.0, np.nan, 1.0, 4.0]])
    mag = np.array([[50, 30, 99, 10, 40]], np.float32)
    usable = np.isfinite(mjd)
    windows = cut_windows(mjd, mag, usable, np.ones_like(usable), 3, False)
    observed = windows.observed.numpy()
    assert observed.tolist() == [[True, True, True], [True, False, False]]
    assert windows.position.numpy()[observed].tolist() == [3, 1, 4, 0]
    magnitude = windows.magnitudes.numpy() + windows.centre.numpy()[:, None]
    assert magnitude[observed] == pytest.approx([10, 30, 40, 50], abs=1e-5)


def test_seconds_survive() -> None:
    mjd = 59000.3 + np.arange(20)[None, :] / 86400
    usable = np.ones((1, 20), bool)
    windows = cut_windows(mjd, np.zeros((1, 20), np.float32), usable, usable, 20, False)
    assert np.diff(windows.times.numpy()[0]) == pytest.approx(np.full(19, 1 / 86400), rel=1e-5)


@pytest.mark.parametrize("planted", [0.0, 1e30, -7.0])
def test_hidden_magnitudes_reach_nothing(toy, planted: float) -> None:
    mjd, mag, errmag, length = padded(toy.curves([20, 33]))
    shown = np.random.default_rng(0).random(mag.shape) < 0.6
    usable = usable_steps(mjd, mag, errmag, length, shown, LightCurveRules())
    other = np.where(shown | ~usable.numpy(), mag, np.float32(planted))
    one, two = (cut_windows(mjd, m, usable, shown, 20, True) for m in (mag, other))
    for name in ("times", "magnitudes", "centre", "scale", "visible"):
        assert getattr(one, name).numpy().tobytes() == getattr(two, name).numpy().tobytes(), name
