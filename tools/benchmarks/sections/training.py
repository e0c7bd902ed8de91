"""The train step, and training from records on disk."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.light_curves import LightCurves
from astromer.records.reader import read_light_curves
from astromer.training.config import TrainingConfig
from astromer.training.epoch import TrainingEpoch
from astromer.training.loop import Trainer
from astromer.windows.batches import Batch
from astromer.windows.config import MaskingConfig
from tools.benchmarks.baseline import PlainModel, PlainTraining
from tools.benchmarks.measuring.curves import make_curves, mixed_lengths, write_records
from tools.benchmarks.measuring.flops import package_training_flops, training_flops
from tools.benchmarks.measuring.section import BFLOAT16, OURS, PLAIN, Section
from tools.benchmarks.measuring.turns import Way
from tools.benchmarks.plain_input import plain_batches

FULL, MIXED = "train step, windows of 200", "train step, windows of 20-200"
FROM_RECORDS = "training from records on disk"


def section(
    folder: Path,
    encoder: EncoderConfig = EncoderConfig(),
    training: TrainingConfig = TrainingConfig(),
    steps: int = 2,
) -> Section:
    """The documented settings by default.

    Args:
        folder: for records, checkpoints and logs.
        encoder, training: the sizes.
        steps: train steps in a turn, as training takes them: one after the other.
    """
    curves = make_curves(np.full(steps * training.batch_size, encoder.window_size))
    files = write_records(curves, folder / "records")
    flops = training_flops(encoder)
    bfloat16 = dataclasses.replace(training, precision="mixed_bfloat16")
    return Section(
        {
            PLAIN: partial(plain_ways, files, encoder, training, steps),
            OURS: partial(ways, files, folder, encoder, training, steps),
            BFLOAT16: partial(ways, files, folder, encoder, bfloat16, steps),
        },
        {FULL: flops, FROM_RECORDS: flops},  # of shorter windows they would say little
        encoder,
    )


def products_note(encoder: EncoderConfig = EncoderConfig()) -> str:
    """What the package really computes for a full window, beside what the table counts."""
    done = package_training_flops(encoder, MaskingConfig())
    return (
        f"For a full window in training the package computes {done / 1e6:,.0f} MFLOP of the "
        f"plain {training_flops(encoder) / 1e6:,.0f}."
    )


def step_batches(encoder: EncoderConfig, training: TrainingConfig) -> dict[str, Batch]:
    """A batch of full windows, and one of windows of mixed lengths."""
    count, longest = training.batch_size, encoder.window_size
    lengths = {FULL: np.full(count, longest), MIXED: mixed_lengths(count, longest)}
    return {
        name: an_epoch(make_curves(some), 0, encoder, training).batch(0)
        for name, some in lengths.items()
    }


def an_epoch(
    curves: LightCurves, number: int, encoder: EncoderConfig, training: TrainingConfig
) -> TrainingEpoch:
    """As the trainer makes it."""
    return TrainingEpoch(
        curves,
        number,
        window_size=encoder.window_size,
        batch_size=training.batch_size,
        masking=MaskingConfig(),
        normalise=training.norm,
        seed=training.seed,
    )


def ways(
    files: Sequence[Path],
    folder: Path,
    encoder: EncoderConfig,
    training: TrainingConfig,
    steps: int,
) -> Mapping[str, Way]:
    """The package's."""
    step = make_step(folder, encoder, training)
    numbers = itertools.count()

    def take(batch: Batch) -> float:
        for _ in range(steps):
            step(batch, next(numbers)).numpy()
        return float(steps * len(batch))

    def train() -> float:
        epoch = an_epoch(read_light_curves(files), next(numbers), encoder, training)
        done = [step(batch, next(numbers)) for batch in epoch.batches()]
        done[-1].numpy()
        return float(len(epoch.windows))

    batches = step_batches(encoder, training)
    return {**{name: partial(take, b) for name, b in batches.items()}, FROM_RECORDS: train}


def make_step(
    folder: Path,
    encoder: EncoderConfig,
    training: TrainingConfig,
    strategy: tf.distribute.Strategy | None = None,
) -> Any:
    """A train step with fresh weights."""
    few = make_curves(np.full(training.batch_size, encoder.window_size))
    trainer = Trainer(
        few,
        few,
        encoder=encoder,
        masking=MaskingConfig(),
        training=training,
        checkpoint_dir=folder / "checkpoints",
        log_dir=folder / "logs",
        strategy=strategy,
    )
    return trainer.step


def plain_ways(
    files: Sequence[Path], encoder: EncoderConfig, training: TrainingConfig, steps: int
) -> Mapping[str, Way]:
    """The plain ones: the same batches, and the plain input pipeline before the plain step."""
    plain = PlainTraining(PlainModel(encoder), training)
    dataset = plain_batches(files, encoder.window_size, training.batch_size, MaskingConfig())

    def take(inputs: Sequence[tf.Tensor]) -> float:
        for _ in range(steps):
            plain.step(*inputs).numpy()
        return float(steps * len(inputs[0]))

    def train() -> float:
        windows, loss = 0, tf.constant(0.0)
        for batch in dataset:
            names = ("times", "magnitudes", "visible", "target", "probed")
            loss = plain.step(*(batch[name] for name in names))
            windows += len(batch["centre"])
        loss.numpy()
        return float(windows)

    batches = step_batches(encoder, training)
    found = {name: partial(take, plain_inputs(batch)) for name, batch in batches.items()}
    return {**found, FROM_RECORDS: train}


def plain_inputs(batch: Batch) -> list[tf.Tensor]:
    """What the plain step takes, of a batch of the package."""
    probing = batch.probing
    arrays = (batch.times, batch.magnitudes, probing.visible, batch.target, probing.probed)
    return [tf.constant(array) for array in arrays]
