"""Embedding light curves with a pushed model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

import astromer
from astromer.encoder.config import EncoderConfig
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.serving.export import export_saved_model
from astromer.system.parallel import claim_cores
from astromer.windows.batches import assemble, sequential_windows
from astromer.windows.masking import nothing_probed
from tools.benchmarks.baseline import PlainModel
from tools.benchmarks.measuring.curves import make_curves, mixed_lengths
from tools.benchmarks.measuring.flops import forward_flops
from tools.benchmarks.measuring.section import OURS, PLAIN, Section
from tools.benchmarks.measuring.turns import Way
from tools.benchmarks.measuring.workers import running

FULL, MIXED = "embedding, curves of 200", "embedding, curves of 20-200"
_BATCH = 64


def section(folder: Path, encoder: EncoderConfig = EncoderConfig(), curves: int = 256) -> Section:
    """The documented sizes, with random weights, by default."""
    with running({"export": partial(export, encoder, folder / "model")}):
        pass  # it is done when it is ready; what that takes is not measured
    return Section(
        {
            PLAIN: partial(plain_ways, encoder, curves),
            OURS: partial(ways, folder / "model", encoder, curves),
        },
        {FULL: forward_flops(encoder)},
        encoder,
    )


def export(encoder: EncoderConfig, pushed: Path) -> Mapping[str, Way]:
    """Makes the model that the package loads."""
    export_saved_model(make_model(encoder), pushed)
    return {}


def data(encoder: EncoderConfig, curves: int) -> dict[str, LightCurves]:
    """Light curves of one window each."""
    longest = encoder.window_size
    lengths = {FULL: np.full(curves, longest), MIXED: mixed_lengths(curves, longest)}
    return {name: make_curves(some) for name, some in lengths.items()}


def ways(pushed: Path, encoder: EncoderConfig, curves: int) -> Mapping[str, Way]:
    """``astromer.load``, with the threads of ``astromer embed``."""
    claim_cores()
    embedder = astromer.load(pushed)

    def embed(some: LightCurves) -> float:
        return float(len(embedder.embed(some, batch_size=_BATCH, progress=False).mean))

    return {name: partial(embed, some) for name, some in data(encoder, curves).items()}


def make_model(encoder: EncoderConfig) -> Reconstructor:
    """A model with random weights, always the same ones."""
    return Reconstructor.from_settings(encoder, seed=0)


def plain_ways(encoder: EncoderConfig, curves: int) -> Mapping[str, Way]:
    """The plain encoder, called for batches of padded windows."""
    embed = PlainEmbedding(encoder)
    return {
        name: lambda some=some: float(len(embed(some)))  # type: ignore[misc]
        for name, some in data(encoder, curves).items()
    }


class PlainEmbedding:
    """Mean of the plain encoder's output over the steps of each light curve of one window."""

    def __init__(self, encoder: EncoderConfig) -> None:
        self.window_size = encoder.window_size
        self.model = PlainModel(encoder)
        self.model.copy_weights(make_model(encoder))
        self.encode = tf.function(self.model.encode, reduce_retracing=True)

    def __call__(self, curves: LightCurves) -> np.ndarray:
        """float32 [num_curves, width]."""
        windows = sequential_windows(curves.offsets, self.window_size)
        means = []
        for first in range(0, len(windows), _BATCH):
            some = windows[first : first + _BATCH]
            batch = assemble(curves, some, nothing_probed(some.length, self.window_size))
            observed = batch.probing.observed
            z = self.encode(*map(tf.constant, (batch.times, batch.magnitudes, observed))).numpy()
            total = np.sum(z * observed[..., None], axis=1)
            means.append(total / some.length[:, None])
        return np.concatenate(means)
