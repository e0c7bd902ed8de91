"""A random sample of windows with hidden steps, their reconstruction and plots of some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from astromer.encoder.folding import periods_of_windows, prepare
from astromer.encoder.inference import Predictor
from astromer.encoder.reconstructor import Reconstructor
from astromer.evaluation.baselines import OF_ONE_WINDOW, fit_light_curves, predictions_of
from astromer.evaluation.metrics import WindowScores
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods
from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.reports.plot import COLOURS, INTERPOLATION, THIS_MODEL, Plot, make_plot
from astromer.system.html.page import label, new_figure, new_panels
from astromer.system.text import shortened
from astromer.windows.batches import Batch, Windows, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import Probing, draw, mask_seed

HIDDEN_COLOUR = "#009E73"
_OBSERVED, _PREDICTED = "#444444", COLOURS[THIS_MODEL]
_WINDOWS, _CURVES = 1, 2  # so that the two draws of a seed are independent
_LIKELY_NOISE = 0.01  # false-alarm probability above which no period is shown
_LEAST_STEPS = 5  # hidden steps that make a window's RMSE meaningful


@dataclass(frozen=True)
class WindowSample:
    """Some of the windows that the evaluation scores, with the same hidden steps.

    Attributes:
        windows: the windows, in the order of the split.
        number: int64 [num_windows], of each among all windows of the split.
        probing: the role of every step.
        total: windows of the whole split.
        whole: all windows of the sampled light curves, and the roles of their steps.
        truthful: bool [num_observations], steps of these that show their own magnitude.
    """

    windows: Windows
    number: np.ndarray
    probing: Probing
    total: int
    whole: tuple[Windows, Probing]
    truthful: np.ndarray


def sample_windows(
    curves: LightCurves,
    window_size: int,
    masking: MaskingConfig,
    mask: int,
    most: int,
    seed: int,
) -> WindowSample:
    """Draws windows, each as likely as any other.

    Args:
        curves: the split.
        window_size: observations per window.
        masking: fractions of probed, same and random steps.
        mask: seed of the evaluation, which hides the same steps in a window.
        most: windows to draw at most; all are taken where there are fewer.
        seed: of the draw.
    """
    windows = sequential_windows(curves.offsets, window_size)
    number = np.arange(len(windows))
    if len(windows) > most:
        drawn = np.random.default_rng([seed, _WINDOWS]).choice(len(windows), most, replace=False)
        number = np.sort(drawn)

    def roles(number: np.ndarray) -> Probing:
        lengths = windows.length[number]
        return draw(lengths, window_size, masking, seed=mask_seed(mask), first=number)

    of_curves = np.flatnonzero(np.isin(windows.curve, windows.curve[number]))
    whole = windows[of_curves], roles(of_curves)
    truthful = np.zeros(curves.num_observations, bool)
    steps = whole[0].start[:, None] + np.arange(window_size)
    truthful[steps[whole[1].truthful]] = True
    return WindowSample(windows[number], number, roles(number), len(windows), whole, truthful)


def sample_curves(curves: LightCurves, window_size: int, most: int, seed: int) -> np.ndarray:
    """int64, rising: positions of ``most`` light curves at most, at least one.

    Of very long light curves fewer are drawn: those of the draw that fit into twice as many
    windows.
    """
    order = np.random.default_rng([seed, _CURVES]).permutation(len(curves))[:most]
    windows = np.cumsum(-(-curves.lengths[order] // window_size))
    fitting = max(int(np.searchsorted(windows, 2 * most, side="right")), 1)
    return np.sort(order[:fitting])


@dataclass(frozen=True)
class WindowReconstruction:
    """Windows, their hidden steps and the predictions for these.

    Attributes:
        curves: of the split.
        sample: the windows.
        batch: the same windows as the network reads them.
        predicted: float32 [num_windows, window_size] by "model" and the names of the baselines,
            centred and scaled like ``batch.target``.
        scores: of the hidden steps of each window, by the same names.
        spread: float32 [num_windows, window_size], the predicted standard deviations, scaled like
            the predictions; None where the model has none.
        periods: of the light curves, for a model that folds.
    """

    curves: LightCurves
    sample: WindowSample
    batch: Batch
    predicted: dict[str, np.ndarray]
    scores: dict[str, WindowScores]
    spread: np.ndarray | None = None
    periods: CurvePeriods | None = None

    def rmse(self) -> np.ndarray:
        """float64 [num_windows], of the model at hidden steps [mag]; NaN where there is none."""
        scores = self.scores[THIS_MODEL]
        count = np.where(scores.count > 0, scores.count, np.nan)
        return np.sqrt(scores.squared_error / count)

    def steps(self, window: int) -> slice:
        """The observations of a window in the arrays of ``curves``."""
        start = self.sample.windows.start[window]
        return slice(start, start + self.sample.windows.length[window])

    def object_id(self, window: int) -> str:
        """Of the window's light curve, "" where unknown."""
        return str(self.curves.ids[self.batch.curve[window]])


def reconstruct(
    model: Reconstructor, curves: LightCurves, sample: WindowSample
) -> WindowReconstruction:
    """Predicts hidden magnitudes, as the evaluation does."""
    periodogram = model.encoder.periodogram
    periods = None
    if model.encoder.folds:
        periods = periods_of_windows(curves, [sample.whole], periodogram)
    batch = prepare(model, curves, sample.windows, sample.probing, periods)
    of_model, spread = Predictor(model).with_spread(batch)
    predicted = {THIS_MODEL: of_model}
    predicted |= {name: baseline(batch) for name, baseline in OF_ONE_WINDOW.items()}
    predicted |= _harmonic_fits(curves, sample, batch, periodogram)
    hidden = sample.probing.hidden
    scores = {name: WindowScores.of(batch, found, hidden) for name, found in predicted.items()}
    return WindowReconstruction(curves, sample, batch, predicted, scores, spread, periods)


def _harmonic_fits(
    curves: LightCurves, sample: WindowSample, batch: Batch, periodogram: PeriodogramConfig
) -> dict[str, np.ndarray]:
    """The fits of the sampled windows and of their whole light curves."""
    positions, place = np.unique(sample.windows.curve, return_inverse=True)
    chosen = curves.take(positions)
    truthful = [sample.truthful[curves.offsets[i] : curves.offsets[i + 1]] for i in positions]
    fits = fit_light_curves(
        chosen,
        np.concatenate([np.empty(0, bool), *truthful]),
        batch.target.shape[1],
        periodogram,
    )
    within = sample.windows.start - curves.offsets[sample.windows.curve]
    windows = Windows(chosen.offsets[place] + within, sample.windows.length, place)
    return predictions_of(fits, batch, windows)


def draw_windows(reconstruction: WindowReconstruction, most_classes: int) -> list[Plot]:
    """The best, the median and the worst window by hidden RMSE, and the median of classes."""
    return [
        _draw(reconstruction, window, name, which)
        for name, which, window in _notable(reconstruction, most_classes)
    ]


def _notable(
    reconstruction: WindowReconstruction, most_classes: int
) -> Iterator[tuple[str, str, int]]:
    """The plot's name, a description of the selection and the window."""
    rmse = reconstruction.rmse()
    count = reconstruction.scores[THIS_MODEL].count
    enough = np.flatnonzero(count >= min(_LEAST_STEPS, count.max(initial=0)))
    order = enough[np.argsort(rmse[enough], kind="stable")]
    order = order[np.isfinite(rmse[order])]
    if not len(order):
        return
    yield "best", "the best", int(order[0])
    if len(order) > 2:
        yield "median", "the median", int(order[len(order) // 2])
    if len(order) > 1:
        yield "worst", "the worst", int(order[-1])
    classes = reconstruction.curves.class_names[reconstruction.batch.curve[order]]
    known = Counter(name for name in classes.tolist() if name)
    if len(known) < 2:
        return
    for number, (name, _) in enumerate(known.most_common(most_classes)):
        members = order[classes == name]
        which = f"the median of class {shortened(name, 40)}"
        yield f"class_{number}", which, int(members[len(members) // 2])


def _draw(reconstruction: WindowReconstruction, window: int, name: str, which: str) -> Plot:
    curves, steps = reconstruction.curves, reconstruction.steps(window)
    mjd = curves.mjd[steps]
    period = _period(reconstruction, window)
    if period is None:
        figure, axes = new_figure(4.2, 3.0)
    else:
        figure, (axes, folded) = new_panels(6.4, 3.0, 1, 2)
        first = curves.mjd[curves.offsets[reconstruction.batch.curve[window]]]
        phase = (mjd - first) / period % 1
        for cycle in (0, 1):
            _draw_steps(folded, reconstruction, window, phase + cycle)
        folded.invert_yaxis()
        folded.set_xlabel(f"phase, period {period:.6g} days")
    _draw_steps(axes, reconstruction, window, mjd)
    axes.invert_yaxis()
    axes.set_ylabel("magnitude [mag]")
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel("MJD [days]")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=7)
    star = reconstruction.object_id(window)
    axes.set_title(label(star or "without id", 40), fontsize=9, parse_math=False)
    return make_plot(
        figure,
        f"window_{name}",
        f"Light curve of {shortened(star) or 'an object without id'} with predictions",
        _caption(reconstruction, window, which),
    )


def _period(reconstruction: WindowReconstruction, window: int) -> float | None:
    """Days, of the light curve's harmonic series; None where noise may look the same."""
    periods, curve = reconstruction.periods, reconstruction.batch.curve[window]
    if periods is None or periods.false_alarm[curve] > _LIKELY_NOISE:
        return None
    frequency = float(periods.frequencies[curve, 0])
    return 1 / frequency if frequency > 0 else None


def _draw_steps(
    axes: Any,
    reconstruction: WindowReconstruction,
    window: int,
    x: np.ndarray,
) -> None:
    """Observations, predictions and their standard deviations over ``x``, [steps]."""
    curves, steps = reconstruction.curves, reconstruction.steps(window)
    mag, errmag = curves.mag[steps], curves.errmag[steps]
    probing, batch = reconstruction.sample.probing, reconstruction.batch
    hidden, truthful = (role[window][: len(x)] for role in (probing.hidden, probing.truthful))
    scale = float(batch.scale[window])
    predicted = reconstruction.predicted[THIS_MODEL][window] * scale
    predicted = (predicted + float(batch.centre[window]))[: len(x)]

    bars: dict[str, Any] = {"fmt": "none", "elinewidth": 0.7, "alpha": 0.6, "zorder": 1}
    known = np.where(np.isfinite(errmag), errmag, 0)
    for chosen, colour in ((~hidden, _OBSERVED), (hidden, HIDDEN_COLOUR)):
        axes.errorbar(x[chosen], mag[chosen], known[chosen], ecolor=colour, **bars)
    marks = (
        (truthful, mag, ".", 4, _OBSERVED, "observed"),
        (~hidden & ~truthful, mag, "x", 4, "#999999", "observed, not shown"),
        (hidden, mag, "o", 4, HIDDEN_COLOUR, "hidden"),
        (hidden, predicted, "D", 3, _PREDICTED, "predicted"),
    )
    for chosen, values, marker, size, colour, title in marks:
        if chosen.any():
            style: dict[str, Any] = {"color": colour, "markersize": size, "label": title}
            fill = "none" if marker == "o" else "full"
            axes.plot(x[chosen], values[chosen], marker, fillstyle=fill, **style)
    lines: dict[str, Any] = {"color": _PREDICTED, "linewidth": 0.5, "alpha": 0.5}
    axes.vlines(x[hidden], mag[hidden], predicted[hidden], **lines)
    if reconstruction.spread is not None:
        sigma = reconstruction.spread[window][: len(x)] * scale
        band = {"color": _PREDICTED, "linewidth": 4, "alpha": 0.25, "label": "1 sigma"}
        low, high = predicted - sigma, predicted + sigma
        axes.vlines(x[hidden], low[hidden], high[hidden], **band)


def _caption(reconstruction: WindowReconstruction, window: int, which: str) -> str:
    scores = reconstruction.scores
    steps = int(scores[THIS_MODEL].count[window])
    error = np.sqrt(scores[INTERPOLATION].squared_error[window] / max(steps, 1))
    class_name = str(reconstruction.curves.class_names[reconstruction.batch.curve[window]])
    of_class = f", class {shortened(class_name, 40)}" if class_name else ""
    star = shortened(reconstruction.object_id(window)) or "without id"
    return (
        f"{which[:1].upper()}{which[1:]}: {star}{of_class}. RMSE at {steps} hidden steps "
        f"{reconstruction.rmse()[window]:.3f} mag, of linear interpolation {error:.3f} mag."
    )
