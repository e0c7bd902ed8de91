"""Light curves to measure with: noise at irregular times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from astromer.light_curves import LightCurves


def make_curves(
    lengths: Sequence[int] | np.ndarray = (200,) * 600, seed: int = 0, days: float = 3.0
) -> LightCurves:
    """Light curves of these lengths; by default full windows, the most expensive ones.

    ``days`` is the mean time between two observations.
    """
    rng = np.random.default_rng(seed)
    lengths = np.asarray(lengths, np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    total = int(offsets[-1])
    elapsed = np.cumsum(rng.exponential(days, total) + 0.01)
    before = np.repeat(elapsed[offsets[:-1]], lengths)
    return LightCurves(
        mjd=50000 + elapsed - before,
        mag=rng.normal(15, 0.3, total).astype(np.float32),
        errmag=rng.uniform(0.01, 0.1, total).astype(np.float32),
        offsets=offsets,
        ids=np.array([f"star-{number}" for number in range(len(lengths))], dtype=np.str_),
        labels=np.arange(len(lengths)) % 4,
        class_names=np.array(["RRab", "EW", "Mira", "Cep_0"])[np.arange(len(lengths)) % 4],
        bands=np.full(len(lengths), ""),
    )


def mixed_lengths(count: int, longest: int = 200, seed: int = 2) -> np.ndarray:
    """int64 [count], 20 to ``longest`` observations, half of the light curves below 60."""
    drawn = np.random.default_rng(seed).lognormal(np.log(60), 0.6, count)
    return np.clip(drawn, 20, longest).astype(np.int64)


def write_records(curves: LightCurves, folder: Path, per_file: int = 20_000) -> list[Path]:
    """Writes record files as ``create_records`` does, without cleaning or division."""
    import tensorflow as tf

    from astromer.records.encoding import encode_curve

    folder.mkdir(parents=True)
    files: list[Path] = []
    for first in range(0, len(curves), per_file):
        files.append(folder / f"{len(files)}.record")
        with tf.io.TFRecordWriter(str(files[-1])) as writer:
            for number in range(first, min(first + per_file, len(curves))):
                writer.write(encode_curve(curves[number], "V"))
    return files
