"""One HTML page to explore a survey by its embeddings: map, light curves, neighbours, labels.

The page holds all of its data and loads nothing. Numbers are packed as little-endian arrays in
base64, which a browser reads many times as fast as JSON.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.explore.outliers import Outliers
from astromer.light_curves import LightCurves
from astromer.serving.embedding_table import EmbeddingTable, to_plane
from astromer.system.environment import require
from astromer.system.errors import DataNotFoundError, RecordError
from astromer.system.html.page import write_page
from astromer.system.text import printable, shortened
from astromer.system.untrusted_files import read_text

MOST_OBJECTS = 20_000
MOST_POINTS = 300
"""Observations of a light curve that the page holds."""
_MOST_BYTES = 30_000_000
_FOR_FACTS = 8_000_000
"""Of these, what is not light curves: ids, reasons, the map, neighbours."""
_POINT_BYTES = 5
NEIGHBOURS = 10
_IN_TSNE = (90, 10_000)
"""Objects of a map by t-SNE, at least and at most."""
_FOREST = 200
"""Trees that tell classes apart by labels."""


@dataclass(frozen=True)
class Guess:
    """What labels by hand say of all other objects.

    Attributes:
        classes: str [num_curves], the most probable one; "" for what was not embedded.
        doubt: float64 [num_curves], 1 less the distance of the two most probable classes.
    """

    classes: np.ndarray
    doubt: np.ndarray


@dataclass(frozen=True)
class Page:
    """What was written.

    Attributes:
        path: the file.
        shown, points: objects, and observations of each at most.
        drawn: objects with a light curve.
        method: of the map.
    """

    path: Path
    shown: int
    points: int
    drawn: int
    method: str


def read_labels(path: Path) -> dict[str, str]:
    """Class by id, from a CSV with the columns id and label; the last line of an id counts.

    Raises:
        DataNotFoundError: there is no such file.
        RecordError: it has no such columns, or is no text.
    """
    if not path.is_file():
        raise DataNotFoundError(f"--labels must be a CSV file. Received: {path}, which is none.")
    try:
        reader = csv.DictReader(io.StringIO(read_text(path).lstrip("\ufeff")))
        rows = list(reader)
    except (ValueError, csv.Error) as error:
        raise RecordError(f"--labels must be a CSV file. Received: {path}: {error}.") from error
    names = reader.fieldnames or []
    label = next((name for name in ("label", "class", "Class") if name in names), None)
    if "id" not in names or label is None:
        raise RecordError(
            f"--labels must have the columns id and label. Received: {path}, with "
            f"{shortened(', '.join(names)) or 'none'}."
        )
    return {row["id"]: row[label].strip() for row in rows if row["id"] and row[label]}


def guess_classes(table: EmbeddingTable, labels: Mapping[str, str], seed: int = 0) -> Guess | None:
    """The classes of all objects by a random forest on the embeddings of labelled ones.

    Args:
        table: of all objects.
        labels: class by id; ids that the table does not have are passed over.
        seed: of the forest.

    Returns:
        None for fewer than two classes.
    """
    require("finetune", "sklearn")
    from sklearn.ensemble import RandomForestClassifier

    names = np.array([labels.get(name, "") for name in table.ids.tolist()])
    rows = table.space.usable
    known = names[rows] != ""
    if len(set(names[rows][known])) < 2:
        return None
    forest = RandomForestClassifier(_FOREST, class_weight="balanced", random_state=seed)
    forest.fit(table.space.scaled[known], names[rows][known])
    odds = forest.predict_proba(table.space.scaled)
    best = np.sort(odds, axis=1)
    classes, doubt = np.full(len(table), "", object), np.full(len(table), np.nan)
    classes[rows] = forest.classes_[odds.argmax(axis=1)]
    doubt[rows] = 1 - (best[:, -1] - best[:, -2])
    return Guess(classes.astype(str), doubt)


def write_explorer(
    table: EmbeddingTable,
    curves: LightCurves,
    found: Outliers,
    out: Path,
    *,
    title: str = "",
    method: str = "auto",
    labels: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Page:
    """Writes the page.

    Args:
        table: the embeddings.
        curves: light curves; those of the table's ids are shown.
        found: the ranking of the table's objects.
        out: the file.
        title: of the survey.
        method: "tsne", "pca" or "auto", which is t-SNE for 90 to 10,000 objects, else PCA.
        labels: class by id, from before.
        seed: of the sample, the map and the forest.

    Raises:
        MissingExtraError: jinja2, matplotlib or scikit-learn is not installed.
    """
    require("plots", "jinja2", "sklearn")
    labels = dict(labels or {})
    rows = _sample(table, found, labels, seed)
    room = (_MOST_BYTES - _FOR_FACTS) * 3 // 4 // _POINT_BYTES
    points = min(MOST_POINTS, room // max(len(rows), 1))
    scaled = table.space.scaled[np.searchsorted(table.space.usable, rows)]
    if method == "auto":
        method = "tsne" if _IN_TSNE[0] <= len(scaled) <= _IN_TSNE[1] else "pca"
    plane, what = to_plane(scaled, method, seed)
    low, high = np.quantile(plane, (0.002, 0.998), axis=0)
    plane = np.clip((plane - low) / np.maximum(high - low, 1e-9), -0.05, 1.05)
    guess = guess_classes(table, labels, seed) if labels else None
    light_curve = _light_curves_of(_names(table, rows), curves)
    data = {
        **_facts(table, found, rows, plane, _near(scaled)),
        **_packed_curves(light_curve, curves, points),
        "labels": {name: labels[name] for name in table.ids[rows].tolist() if name in labels},
        "guess": guess.classes[rows].tolist() if guess else [],
        "doubt": _floats(guess.doubt[rows]) if guess else "",
    }
    here = Path(__file__)
    write_page(
        here.with_name("page.html"),
        {
            "title": title or table.path.stem,
            "total": len(table),
            "shown": len(rows),
            "unusable": int((~table.usable).sum()),
            "points": points,
            "method": what,
            "data": _for_script(data),
            "script": here.with_name("page.js").read_text(encoding="utf-8"),
        },
        out,
    )
    return Page(out, len(rows), points, len(rows) - light_curve.count(None), method)


def _for_script(data: Mapping[str, Any]) -> str:
    """JSON that can stand in a script element: no "<" ends it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _sample(
    table: EmbeddingTable, found: Outliers, labels: Mapping[str, str], seed: int
) -> np.ndarray:
    """int64 [n], rows that are shown: all, or the oddest, the labelled and some at random."""
    usable = table.space.usable
    if len(usable) <= MOST_OBJECTS:
        return usable
    odd = found.ranking[: MOST_OBJECTS // 20]
    labelled = np.flatnonzero(np.isin(table.ids, list(labels)) & table.usable)
    first = np.unique(np.concatenate([odd, labelled]))[:MOST_OBJECTS]
    rest = np.setdiff1d(usable, first)
    rng = np.random.default_rng(seed)
    some = rng.choice(rest, min(MOST_OBJECTS - len(first), len(rest)), replace=False)
    return np.sort(np.concatenate([first, some]))


def _near(scaled: np.ndarray) -> np.ndarray:
    """int64 [n, k], the nearest among those that are shown, the nearest first."""
    from sklearn.neighbors import NearestNeighbors

    number = min(NEIGHBOURS, len(scaled) - 1)
    if number < 1:
        return np.zeros((len(scaled), 0), np.int64)
    found = NearestNeighbors(n_neighbors=number + 1, algorithm="brute").fit(scaled)
    rows = np.asarray(found.kneighbors(scaled, return_distance=False))
    own = rows == np.arange(len(rows))[:, None]
    own[:, -1] |= ~own.any(axis=1)  # equal vectors may push it out
    return rows[~own].reshape(len(rows), number)


def _facts(
    table: EmbeddingTable,
    found: Outliers,
    rows: np.ndarray,
    plane: np.ndarray,
    near: np.ndarray,
) -> dict[str, Any]:
    def numbers(name: str) -> str:
        if name not in table.columns:
            return _floats(np.full(len(rows), np.nan))
        return _floats(table.column(name)[rows])

    classes = np.full(len(rows), "", object)
    if "class" in table.columns:
        classes = table.column("class")[rows]
    names = sorted({str(name) for name in classes.tolist() if name})
    index = {name: number for number, name in enumerate(names)}
    rank = np.full(len(table), -1, np.int64)
    rank[found.ranking] = np.arange(len(found.ranking))
    return {
        "ids": [printable(name) for name in table.ids[rows].tolist()],
        "classes": [printable(name) for name in names],
        "class": _pack(np.array([index.get(str(name), -1) for name in classes]), "<i4"),
        "x": _floats(plane[:, 0]),
        "y": _floats(plane[:, 1]),
        "near": _pack(near, "<u4"),
        "each": near.shape[1],
        "period": numbers("period"),
        "amplitude": numbers("amplitude"),
        "magnitude": numbers("magnitude"),
        "observations": numbers("num_observations"),
        "score": _floats(found.score[rows]),
        "rank": _pack(rank[rows], "<i4"),
        "reasons": [str(reason) for reason in found.reason[rows].tolist()],
        "artefact": [str(one) for one in found.artefact[rows].tolist()],
    }


def _names(table: EmbeddingTable, rows: np.ndarray) -> list[tuple[str, str]]:
    """Id and band of each light curve."""
    bands = table.column("band") if "band" in table.columns else np.full(len(table), "")
    return list(zip(table.ids[rows].tolist(), bands[rows].tolist()))


def _light_curves_of(names: list[tuple[str, str]], curves: LightCurves) -> list[int | None]:
    """The row of each id and band; where one side has no band, the first of the id."""
    known = list(enumerate(zip(curves.ids.tolist(), curves.bands.tolist())))[::-1]
    of_id = {name: row for row, (name, _) in known}
    without_band = {name: row for row, (name, band) in known if not band}
    of_both = {both: row for row, both in known}
    return [
        of_both.get((name, band), (without_band if band else of_id).get(name))
        for name, band in names
    ]


def _packed_curves(rows: list[int | None], curves: LightCurves, points: int) -> dict[str, Any]:
    """Times in 24 bits and magnitudes in 16, between the first and the last of each light curve."""
    counts = np.zeros(len(rows), np.int64)
    bounds = np.zeros((len(rows), 4))
    times, magnitudes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for number, row in enumerate(rows):
        if row is None:
            continue
        curve = curves[row]
        usable = np.flatnonzero(np.isfinite(curve.mjd) & np.isfinite(curve.mag))
        usable = usable[np.argsort(curve.mjd[usable], kind="stable")]
        if len(usable) > points:
            usable = usable[np.unique(np.linspace(0, len(usable) - 1, points).astype(int))]
        if not len(usable):
            continue
        mjd, mag = curve.mjd[usable], curve.mag[usable].astype(np.float64)
        counts[number] = len(usable)
        bounds[number] = (mjd[0], max(float(np.ptp(mjd)), 1e-6), mag.min(), float(np.ptp(mag)))
        times.append(np.round((mjd - mjd[0]) / bounds[number, 1] * 0xFFFFFF).astype(np.int64))
        scale = max(bounds[number, 3], 1e-6)
        magnitudes.append(np.round((mag - mag.min()) / scale * 0xFFFF).astype(np.int64))
    ticks = np.concatenate(times)
    return {
        "counts": _pack(counts, "<u4"),
        "bounds": _pack(bounds, "<f8"),
        "times": _pack(ticks & 0xFFFF, "<u2"),
        "times_high": _pack(ticks >> 16, "<u1"),
        "magnitudes": _pack(np.concatenate(magnitudes), "<u2"),
    }


def _floats(values: np.ndarray) -> str:
    return _pack(np.asarray(values, np.float64), "<f4")


def _pack(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.dtype(kind)).tobytes()).decode()
