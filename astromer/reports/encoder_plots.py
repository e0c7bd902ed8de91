"""Plots of the encoder: the attention for one hidden step and by head, and a map of embeddings.

On the map light curves with similar embeddings are near each other.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from astromer.encoder.encoder import Encoder
from astromer.encoder.inference import network_inputs
from astromer.encoder.pooling import MEAN, CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.reports.plot import Plot, make_plot
from astromer.reports.reconstructed_windows import HIDDEN_COLOUR, WindowReconstruction
from astromer.serving.embedding_table import to_plane
from astromer.system.html.page import label, new_figure, new_panels
from astromer.system.text import other_classes, shortened

_MOST = 4  # blocks, and heads


def window_attention(
    encoder: Encoder, reconstruction: WindowReconstruction, window: int
) -> np.ndarray:
    """float32 [num_layers, num_heads, steps, steps] of a window's observed steps.

    These are the weights of the encoder's own attention for what it read of this window.
    """
    inputs = network_inputs(reconstruction.batch)
    # Whole windows: the output of public weights depends on the padding.
    found = encoder.attention(**{name: array[[window]] for name, array in inputs.items()})
    steps = int(reconstruction.sample.windows.length[window])
    return np.stack([weights.numpy()[0, :, :steps, :steps] for weights in found])


def draw_attention(encoder: Encoder, reconstruction: WindowReconstruction) -> list[Plot]:
    """Over the light curve, for one hidden step; and of all steps to all, by head."""
    window = _typical(reconstruction)
    if window is None:
        return []
    weights = window_attention(encoder, reconstruction, window)
    return [_over_curve(weights, reconstruction, window), _by_head(weights, reconstruction, window)]


def _typical(reconstruction: WindowReconstruction) -> int | None:
    """The window of median error among the longest; None where nothing is hidden."""
    rmse = reconstruction.rmse()
    length = np.where(np.isfinite(rmse), reconstruction.sample.windows.length, -1)
    if not len(length) or length.max() < 0:
        return None
    longest = np.flatnonzero(length == length.max())
    return int(longest[np.argsort(rmse[longest], kind="stable")[len(longest) // 2]])


def _over_curve(weights: np.ndarray, reconstruction: WindowReconstruction, window: int) -> Plot:
    curves, probing = reconstruction.curves, reconstruction.sample.probing
    steps = reconstruction.steps(window)
    mjd, mag = curves.mjd[steps], curves.mag[steps]
    hidden, visible = (getattr(probing, role)[window][: len(mjd)] for role in ("hidden", "visible"))
    step = int(np.flatnonzero(hidden)[np.count_nonzero(hidden) // 2])
    # Some of the blocks, the first and the last among them.
    count = len(weights)
    shown = sorted({round(n) for n in np.linspace(0, count - 1, min(count, _MOST))})
    figure, panels = new_panels(4.4, 0.8 + 1.7 * len(shown), len(shown), sharex=True)
    heads = weights.mean(axis=1)[:, step]  # [layers, steps]
    for axes, block in zip(panels, shown):
        # 1 = as much as each gets if all visible steps get the same.
        relative = heads[block] * max(np.count_nonzero(visible), 1)
        order = np.argsort(relative)
        drawn = order[visible[order] | (relative[order] > 1e-6)]
        marks = axes.scatter(
            mjd[drawn],
            mag[drawn],
            c=relative[drawn],
            s=4 + 14 * np.minimum(relative[drawn], 5),
            cmap="viridis_r",
            vmin=0,
            vmax=max(2.0, float(relative.max(initial=0))),
            linewidths=0,
        )
        axes.plot(
            mjd[[step]],
            mag[[step]],
            "*",
            color=HIDDEN_COLOUR,
            markersize=11,
            markeredgecolor="black",
        )
        axes.axvline(mjd[step], color=HIDDEN_COLOUR, linewidth=0.8, zorder=0)
        axes.invert_yaxis()
        axes.ticklabel_format(useOffset=False, style="plain")
        axes.set_ylabel(f"block {block + 1}\n[mag]")
        figure.colorbar(marks, ax=axes, pad=0.01)
    panels[-1].locator_params(axis="x", nbins=5)
    panels[-1].set_xlabel("MJD [days]")
    star = reconstruction.object_id(window)
    panels[0].set_title(label(star or "without id", 40), fontsize=9, parse_math=False)
    return make_plot(
        figure,
        "attention_curve",
        f"Attention of one hidden step to the visible steps of {shortened(star) or 'a star'}",
        "Attention of one hidden step (star) to the steps that the network may attend to, mean of "
        f"the {weights.shape[1]} heads; 1 = the same to each of {np.count_nonzero(visible)} "
        "visible steps.",
    )


def _by_head(weights: np.ndarray, reconstruction: WindowReconstruction, window: int) -> Plot:
    from matplotlib.ticker import MaxNLocator

    heads = weights[-1][:_MOST]
    columns = min(len(heads), 2)
    rows = -(-len(heads) // columns)
    figure, panels = new_panels(4.4, 1.1 + 2.1 * rows, rows, columns)
    highest = float(np.quantile(heads, 0.995)) or 1.0
    for number, axes in enumerate(panels):
        if number >= len(heads):
            axes.set_axis_off()
            continue
        image = axes.imshow(heads[number], cmap="viridis", vmin=0, vmax=highest)
        axes.set_title(f"head {number + 1}", fontsize=8)
        axes.set_xlabel("attended step", fontsize=8)
        axes.set_ylabel("attending step", fontsize=8)
    hidden = reconstruction.sample.probing.hidden[window][: weights.shape[-1]]
    dark = ""  # public weights attend to hidden steps, too
    if not weights[..., hidden].any():
        dark = ", hidden steps are dark columns"
    figure.colorbar(
        image,
        ax=panels,
        location="bottom",
        shrink=0.7,
        label="attention weight",
        ticks=MaxNLocator(nbins=4),  # more would run into each other
    )
    return make_plot(
        figure,
        "attention_heads",
        "Attention of every step to every step of the window in the last block, by head",
        "The same window in the last block: attention of every step (rows) to every step "
        f"(columns), both in order of time; rows add up to 1{dark}.",
    )


_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#6A3D9A",
    "#8C564B",
    "#000000",
    "#B5BD00",
)
_LEAST = 3  # points that make a map
_REST = "#bbbbbb"


def mean_embeddings(model: Reconstructor, curves: LightCurves) -> np.ndarray:
    """float32 [num_curves, d_model], as a server returns them under ``mean``."""
    return CurveEncoder(model, MEAN)(curves)[:, 0]


def draw_map(embeddings: np.ndarray, class_names: np.ndarray, method: str, seed: int) -> list[Plot]:
    """The map, in colours by class where there are classes; none of fewer than three."""
    if len(embeddings) < _LEAST:
        return []
    points, what = to_plane(embeddings, method, seed)
    figure, axes = new_figure(6.2, 4.4)
    counts = Counter(name for name in class_names.tolist() if name)
    names = [name for name, _ in counts.most_common(len(_COLOURS))]
    rest = ~np.isin(class_names, names)
    left = [label(name) for name in counts if name not in names]
    others = other_classes(left, unknown=bool((class_names == "").any()))
    groups = [(rest, _REST, others)] if rest.any() else []
    groups += [(class_names == name, c, label(name)) for c, name in zip(_COLOURS, names)]
    for chosen, colour, name in groups:
        title = f"{name} ({chosen.sum()})"
        x, y = points[chosen].T
        axes.scatter(x, y, c=colour, label=title, s=14, linewidths=0, alpha=0.8)
    title = "t-SNE" if what.startswith("t-SNE") else "principal component"
    axes.set_xlabel(f"{title} 1 [no unit]")
    axes.set_ylabel(f"{title} 2 [no unit]")
    handles, labels = axes.get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return [
        make_plot(
            figure,
            "embedding_map",
            f"Embeddings of {len(points)} light curves in a plane",
            f"Embeddings (mean over the steps) of {len(points):,} light curves: {what}.",
        )
    ]
