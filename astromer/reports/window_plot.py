"""A window of a light curve: what was observed, what was hidden, what was predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from astromer.reports.plot import COLOURS, INTERPOLATION, MODEL, Plot, make_plot
from astromer.reports.reconstruction import Reconstruction
from astromer.system.html.page import label, new_figure
from astromer.system.text import shortened

SHOWN, HIDDEN, PREDICTED = "#444444", "#009E73", COLOURS[MODEL]
_LEAST_STEPS = 5  # hidden ones, so that a window's RMSE says something


def draw_windows(reconstruction: Reconstruction, most_classes: int) -> list[Plot]:
    """The best, the median and the worst window by hidden RMSE, and the median of classes."""
    return [
        _draw(reconstruction, window, name, what)
        for name, what, window in _choose(reconstruction, most_classes)
    ]


def _choose(reconstruction: Reconstruction, most_classes: int) -> Iterator[tuple[str, str, int]]:
    rmse = reconstruction.rmse()
    count = reconstruction.scores[MODEL].count
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
    classes = reconstruction.class_names()[order]
    known = Counter(name for name in classes.tolist() if name)
    if len(known) < 2:
        return
    for number, (name, _) in enumerate(known.most_common(most_classes)):
        members = order[classes == name]
        what = f"the median of class {shortened(name, 40)}"
        yield f"class_{number}", what, int(members[len(members) // 2])


def _draw(reconstruction: Reconstruction, window: int, name: str, what: str) -> Plot:
    batch, probing = reconstruction.batch, reconstruction.sample.probing
    curves, windows = reconstruction.curves, reconstruction.sample.windows
    steps = slice(windows.start[window], windows.start[window] + windows.length[window])
    mjd, mag, errmag = curves.mjd[steps], curves.mag[steps], curves.errmag[steps]
    roles = {role: getattr(probing, role)[window][: len(mjd)] for role in ("hidden", "truthful")}
    hidden, truthful = roles["hidden"], roles["truthful"]
    predicted = reconstruction.magnitudes(MODEL, window)[: len(mjd)]

    figure, axes = new_figure(4.2, 3.0)
    bars: dict[str, Any] = {"fmt": "none", "elinewidth": 0.7, "alpha": 0.6, "zorder": 1}
    known = np.where(np.isfinite(errmag), errmag, 0)
    for chosen, colour in ((~hidden, SHOWN), (hidden, HIDDEN)):
        axes.errorbar(mjd[chosen], mag[chosen], known[chosen], ecolor=colour, **bars)
    axes.plot(mjd[truthful], mag[truthful], ".", color=SHOWN, markersize=4, label="observed")
    lent = ~hidden & ~truthful
    if lent.any():
        axes.plot(
            mjd[lent], mag[lent], "x", color="#999999", markersize=4, label="observed, not told"
        )
    axes.plot(
        mjd[hidden], mag[hidden], "o", color=HIDDEN, markersize=4, fillstyle="none", label="hidden"
    )
    axes.plot(mjd[hidden], predicted[hidden], "D", color=PREDICTED, markersize=3, label="predicted")
    axes.vlines(
        mjd[hidden], mag[hidden], predicted[hidden], color=PREDICTED, linewidth=0.5, alpha=0.5
    )
    axes.invert_yaxis()
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel("MJD [days]")
    axes.set_ylabel("magnitude [mag]")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=7)
    curve = int(batch.curve[window])
    star = str(curves.ids[curve])
    axes.set_title(label(star or "without id", 40), fontsize=9, parse_math=False)
    return make_plot(
        figure,
        f"window_{name}",
        f"Light curve of {shortened(star) or 'an object without id'} with predictions",
        _caption(reconstruction, window, what),
    )


def _caption(reconstruction: Reconstruction, window: int, what: str) -> str:
    curve = int(reconstruction.batch.curve[window])
    curves = reconstruction.curves
    scores = reconstruction.scores
    steps = int(scores[MODEL].count[window])
    error = np.sqrt(scores[INTERPOLATION].squared_error[window] / max(steps, 1))
    of_class = f", class {shortened(str(curves.class_names[curve]), 40)}"
    return (
        f"{what[:1].upper()}{what[1:]}: {shortened(str(curves.ids[curve])) or 'without id'}"
        f"{of_class if curves.class_names[curve] else ''}. RMSE at {steps} hidden steps "
        f"{reconstruction.rmse()[window]:.3f} mag, of linear interpolation {error:.3f} mag."
    )
