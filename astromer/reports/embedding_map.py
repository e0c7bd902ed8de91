"""A map of embeddings: light curves with similar embeddings are near each other."""

from __future__ import annotations

from collections import Counter

import numpy as np

from astromer.encoder.pooling import MEAN, CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.reports.plot import Plot, make_plot
from astromer.system.environment import require
from astromer.system.html.page import label, new_figure
from astromer.system.text import other_classes

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
_PERPLEXITY = 30.0
_REST = "#bbbbbb"


def mean_embeddings(model: Reconstructor, curves: LightCurves) -> np.ndarray:
    """float32 [num_curves, d_model], as a server returns them under ``mean``."""
    return CurveEncoder(model, MEAN)(curves)[:, 0]


def to_plane(embeddings: np.ndarray, method: str, seed: int) -> tuple[np.ndarray, str]:
    """Points of a plane, float [num_curves, 2], and a description of the axes.

    Args:
        embeddings: float [num_curves, d_model].
        method: "pca" or "tsne"; of fewer than 5 light curves it is always PCA.
        seed: of t-SNE.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    require("plots", "sklearn")
    if method == "tsne" and len(embeddings) > 4:
        from sklearn.manifold import TSNE

        perplexity = min(_PERPLEXITY, (len(embeddings) - 1) / 3)
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(
            embeddings.astype(np.float64)
        )
        return points, (
            f"t-SNE (perplexity {perplexity:g}, seed {seed}): neighbours mean something, "
            "distances between groups do not"
        )
    from sklearn.decomposition import PCA

    count = min(2, *embeddings.shape)
    with np.errstate(invalid="ignore"):  # of points that are all the same
        analysis = PCA(count, svd_solver="full").fit(embeddings.astype(np.float64))
    points = np.zeros((len(embeddings), 2))
    points[:, :count] = analysis.transform(embeddings.astype(np.float64))
    share = np.nan_to_num(analysis.explained_variance_ratio_).sum()
    return points, f"the first two principal components, {share:.0%} of the variance"


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
