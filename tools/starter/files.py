"""Writes a trained model as a starter: weights and settings, and what goes with them.

A few light curves with their embeddings are among it, the goldens: an installation that gives
other embeddings is wrong.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.serving.checksums import check_undamaged, digest, write_checksums
from astromer.serving.config import STARTER
from astromer.serving.embedder import Embedder
from astromer.serving.saved_model import CONFIG, EXTRA, WEIGHTS
from astromer.serving.starter.package import FACTS, GOLDENS, RESULTS, Starter, read_starter
from astromer.serving.versions.promotion import Describe
from astromer.system.atomic import replace_folder
from astromer.system.storage import copy_file
from astromer.system.untrusted_files import read_arrays

TOLERANCE = 1e-3
"""Largest difference of an embedding on another machine or TensorFlow, as a fraction of the
largest number in it. Sums are rounded in another order there."""

_PERIODS = (0.5679, 3.1416, 0.0, 11.3)  # days; 0: noise
_LENGTHS = (60, 150, 250, 12)


def write_starter(
    model: Path,
    folder: Path,
    release: str,
    describe: Describe = lambda copy, release: None,
    **facts: Any,
) -> Starter:
    """Replaces a starter, whole or not at all.

    Args:
        model: an exported or pushed model.
        folder: of the starter.
        release: its version.
        describe: adds files.
        facts: JSON-able; for ``starter.json``, for instance how it was trained.

    Raises:
        ModelError: the model is damaged.
    """
    check_undamaged(model)
    with replace_folder(folder) as new:
        (new / EXTRA).mkdir()
        for name in (CONFIG, WEIGHTS):
            copy_file(model / EXTRA / name, new / EXTRA / name)
        weights = digest(new / EXTRA / WEIGHTS)
        known = {"name": STARTER, "release": release, "sha256": weights, "tolerance": TOLERANCE}
        _write(new / FACTS, known | facts)
        _write(new / RESULTS, {"sha256": weights, "surveys": {}})
        describe(new, release)
        write_checksums(new)
        write_goldens(new, Embedder(new))
        write_checksums(new)
    return read_starter(folder)


def write_results(folder: Path, surveys: dict[str, Any]) -> None:
    """Replaces what is known of a starter on surveys that it has not seen.

    Args:
        folder: of the starter.
        surveys: JSON-able results by the survey's name.
    """
    starter = read_starter(folder)
    _write(folder / RESULTS, {"sha256": starter.sha256, "surveys": surveys})
    write_checksums(folder)


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def golden_curves() -> LightCurves:
    """Light curves of a part of a window and of more than one, with and without a period."""
    rng = np.random.default_rng(2022)

    def star(period: float, length: int) -> LightCurve:
        mjd = 58000 + np.sort(rng.uniform(0, 4.0 * length, length)).round(6)
        phase = 2 * np.pi * mjd / period if period else np.zeros(length)
        mag = 15 + 0.3 * np.sin(phase) + 0.1 * np.sin(2 * phase) + rng.normal(0, 0.02, length)
        errmag = rng.uniform(0.015, 0.03, length).astype(np.float32)
        return LightCurve(mjd, mag.astype(np.float32), errmag, id=f"golden-{length}")

    return LightCurves.from_curves(map(star, _PERIODS, _LENGTHS))


def write_goldens(folder: Path, embedder: Embedder) -> None:
    """Writes the light curves and their embeddings into a folder."""
    curves = golden_curves()
    found = embedder.embed_packed(curves, progress=False)
    arrays = {name: getattr(found, name) for name in ("mean", "max", "embedding")}
    with (folder / GOLDENS).open("wb") as file:
        np.savez(
            file,
            mjd=curves.mjd,
            mag=curves.mag,
            errmag=curves.errmag,
            offsets=curves.offsets,
            **{name: array for name, array in arrays.items() if array is not None},
        )


def check_goldens(embedder: Embedder) -> float:
    """Embeds the light curves of a starter again.

    Returns:
        The largest difference from what they gave, as a fraction of the largest number of an
        array; at most :data:`TOLERANCE` where all is well.
    """
    golden = read_arrays(embedder.path / GOLDENS)
    series = (golden.pop(name) for name in ("mjd", "mag", "errmag", "offsets"))
    found = embedder.embed_packed(LightCurves.unlabelled(*series), progress=False)
    return max(
        float(np.max(np.abs(getattr(found, name) - expected)) / np.max(np.abs(expected)))
        for name, expected in golden.items()
    )
