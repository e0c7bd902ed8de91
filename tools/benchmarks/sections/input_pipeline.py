"""The input pipeline: from light curves, in memory or on disk, to what the network is given."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.encoder.inference import network_inputs
from astromer.light_curves import LightCurves
from astromer.records.reader import read_light_curves
from astromer.training.config import TrainingConfig
from astromer.training.epoch import TrainingEpoch
from astromer.windows.batches import plan_micro_batches
from astromer.windows.config import MaskingConfig
from tools.benchmarks.measuring.curves import make_curves, mixed_lengths, write_records
from tools.benchmarks.measuring.section import OURS, PLAIN, Section
from tools.benchmarks.measuring.turns import Way, take_turns
from tools.benchmarks.measuring.workers import running
from tools.benchmarks.plain_input import plain_batches

WINDOW, BATCH = EncoderConfig().window_size, TrainingConfig().batch_size
_EPOCHS = 8  # in a turn of the package, whose epochs are short
FIRST = "first batch"
FROM_DISK = 10  # a tenth of the epochs that a training has at most


def curve_lengths(windows: int) -> dict[str, np.ndarray]:
    """Light curves of three kinds, each of about so many windows."""
    return {
        "200": np.full(windows, WINDOW),
        "2,000": np.full(-(-windows // 10), 10 * WINDOW),
        "20-200": mixed_lengths(windows, WINDOW),
    }


def sections(folder: Path, windows: int = 4096) -> list[Section]:
    """Steady epochs over light curves of three lengths, and epochs from records on disk."""
    found = []
    for kind, lengths in curve_lengths(windows).items():
        files = write_records(make_curves(lengths), folder / kind)
        name = f"input, curves of {kind}, in memory"
        found.append(_section(name, partial(plain_epoch, files), partial(epoch, files)))
    for epochs in (1, FROM_DISK):
        files = write_records(make_curves(np.full(windows // 4, WINDOW)), folder / f"disk-{epochs}")
        name = f"input, from disk, {epochs} epoch{'s' if epochs > 1 else ''}"
        ways = partial(plain_from_disk, files, epochs), partial(from_disk, files, epochs)
        found.append(_section(name, *ways))
    return found


def _section(name: str, plain: Callable[[], Way], ours: Callable[[], Way]) -> Section:
    return Section({PLAIN: lambda: {name: plain()}, OURS: lambda: {name: ours()}})


def plain_epoch(files: Sequence[Path]) -> Way:
    """Epochs of the plain pipeline; parsed light curves stay in memory."""
    dataset = plain_batches(files, WINDOW, BATCH, MaskingConfig(), cache=True)
    return lambda: float(sum(len(batch["centre"]) for batch in dataset))


def epoch(files: Sequence[Path]) -> Way:
    """Epochs of the package, up to the arrays of each pass."""
    curves, numbers = read_light_curves(files), itertools.count()
    return lambda: float(sum(prepare(curves, next(numbers)) for _ in range(_EPOCHS)))


def prepare(curves: LightCurves, number: int) -> int:
    """One epoch as a train step takes it; returns its windows."""
    return sum(len(rows) for rows in passes(curves, number))


def passes(curves: LightCurves, number: int) -> Iterator[np.ndarray]:
    """Rows of each pass of an epoch, whose arrays are made and handed to TensorFlow."""
    batches = TrainingEpoch(
        curves,
        number,
        window_size=WINDOW,
        batch_size=BATCH,
        masking=MaskingConfig(),
        normalise=False,
        seed=TrainingConfig().seed,
    ).batches()
    for batch in batches:
        arrays = {
            **network_inputs(batch),
            "target": batch.target,
            "probed": batch.probing.probed,
            "hidden": batch.probing.hidden,
        }
        for part in plan_micro_batches(batch.probing.observed.sum(axis=1), WINDOW, 32):
            for array in arrays.values():
                tf.constant(array[part.rows, : part.steps])
            yield part.rows


def plain_from_disk(files: Sequence[Path], epochs: int) -> Way:
    """Epochs of the plain pipeline, which parses the records in each of them."""
    dataset = plain_batches(files, WINDOW, BATCH, MaskingConfig()).repeat(epochs)
    return lambda: float(sum(len(batch["centre"]) for batch in dataset))


def from_disk(files: Sequence[Path], epochs: int) -> Way:
    """Epochs of the package, which reads the records once."""

    def run() -> float:
        curves = read_light_curves(files)
        return float(sum(prepare(curves, number) for number in range(epochs)))

    return run


def first_batch(folder: Path, rounds: int, records: int = 8192) -> str:
    """How long the first batch from disk takes, and how fast records are read, in one line."""
    files = write_records(make_curves(np.full(records, WINDOW)), folder / "first")
    makers = {PLAIN: partial(plain_first_batch, files), OURS: partial(first_batch_ways, files)}
    with running(makers) as workers:
        turns = {way: partial(workers[way].turn, FIRST) for way in makers}
        speeds = take_turns({**turns, "read": partial(workers[OURS].turn, "read")}, rounds)
    seconds = {way: 1 / speeds[way].median for way in makers}
    return (
        f"First batch from {records:,} records on disk after {seconds[OURS]:.2f} s (plain: "
        f"{seconds[PLAIN]:.2f} s); {records * speeds['read'].median:,.0f} records/s read."
    )


def first_batch_ways(files: Sequence[Path]) -> dict[str, Way]:
    """Work that is done once: the first batch, and reading alone."""

    def first() -> float:
        next(passes(read_light_curves(files), 0))
        return 1.0

    def read() -> float:
        read_light_curves(files)
        return 1.0

    return {FIRST: first, "read": read}


def plain_first_batch(files: Sequence[Path]) -> dict[str, Way]:
    """The first batch of the plain pipeline."""

    def first() -> float:
        next(iter(plain_batches(files, WINDOW, BATCH, MaskingConfig())))
        return 1.0

    return {FIRST: first}
