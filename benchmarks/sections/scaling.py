"""How the cost of training grows with the model, the data and the replicas."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.distribution import make_strategy
from astromer.records.reader import read_light_curves
from benchmarks.measuring.children import in_a_child
from benchmarks.measuring.curves import make_curves, mixed_lengths, write_records
from benchmarks.measuring.products import matrix_product, training_flops
from benchmarks.measuring.turns import Speed, Way, take_turns
from benchmarks.sections.training import an_epoch, make_step
from pipeline_config import EncoderConfig, TrainingConfig

Sizes = tuple[EncoderConfig, TrainingConfig]
_BATCHES = 40  # of an epoch over many light curves, that are made to know how fast that is


def of_encoder(knob: str, values: Sequence[int], sizes: Sizes) -> dict[str, Sizes]:
    """The sizes, with one of the encoder's changed."""
    encoder, training = sizes
    changes: list[dict[str, Any]] = [{knob: value} for value in values]
    return {f"{c[knob]}": (dataclasses.replace(encoder, **c), training) for c in changes}


def of_training(knob: str, values: Sequence[int], sizes: Sizes) -> dict[str, Sizes]:
    """The sizes, with one of the training's changed."""
    encoder, training = sizes
    changes: list[dict[str, Any]] = [{knob: value} for value in values]
    return {f"{c[knob]}": (encoder, dataclasses.replace(training, **c)) for c in changes}


def step_table(
    title: str, points: Mapping[str, Sizes], reference: str, rounds: int, folder: Path
) -> str:
    """The train step at several sizes, in turn in one process.

    Args:
        title: what changes.
        points: the sizes, by what the table calls them.
        reference: the point that the others are compared with.
        rounds: turns that count.
        folder: for logs.
    """
    speeds, _ = in_a_child(lambda: _speeds(points, reference, rounds, folder))
    product, base = speeds["product"], speeds[reference]
    of_base = training_flops(points[reference][0])
    lines = [
        f"{title:18}{'windows/s':>11}{'GFLOP/s':>9}{'of product':>12}{'time':>8}"
        f"{'CPU time':>10}{'MFLOP':>8}   (of a window, over those of {reference})"
    ]
    for name, (encoder, _) in points.items():
        flops, speed = training_flops(encoder), speeds[name]
        wall, processor = base.over(speed)
        rate, share = speed.median * flops, speed.over(product)[0] * flops
        lines.append(
            f"{name:18}{speed.median:11.1f}{rate / 1e9:9.0f}{share:12.0%}"
            f"{wall:8.2f}{processor:10.2f}{flops / of_base:8.2f}"
        )
    return "\n".join(lines)


def _speeds(
    points: Mapping[str, Sizes], reference: str, rounds: int, folder: Path
) -> dict[str, Speed]:
    ways = {name: step_way(folder, *sizes) for name, sizes in points.items()}
    return take_turns({**ways, "product": matrix_product(points[reference][0])}, rounds)


def step_way(
    folder: Path,
    encoder: EncoderConfig,
    training: TrainingConfig,
    strategy: tf.distribute.Strategy | None = None,
) -> Way:
    """A train step on full windows."""
    step = make_step(folder, encoder, training, strategy)
    curves = make_curves(np.full(training.batch_size, encoder.window_size))
    batch = an_epoch(curves, 0, encoder, training).batch(0)

    def run() -> float:
        step(batch, 0).numpy()
        return float(len(batch))

    return run


def curves_table(folder: Path, counts: Sequence[int], sizes: Sizes) -> str:
    """Reading records and making epochs of more and more light curves, a process each.

    The time to begin an epoch is that of the processor.
    """
    lines = [
        f"{'light curves':18}{'records/s':>11}{'per CPU s':>11}{'epoch [ms]':>12}"
        f"{'windows/s':>11}{'per CPU s':>11}{'peak MiB':>10}"
    ]
    for count in counts:
        curves = make_curves(mixed_lengths(count, sizes[0].window_size))
        files = write_records(curves, folder / str(count))
        del curves
        (read, begin, windows), peak = in_a_child(partial(_data, files, *sizes))
        lines.append(
            f"{count:<18,}{read.median:11,.0f}{read.processor_median:11,.0f}"
            f"{1e3 / begin.processor_median:12.1f}"
            f"{windows.median:11,.0f}{windows.processor_median:11,.0f}{peak / 2**20:10.0f}"
        )
    return "\n".join(lines)


def _data(
    files: Sequence[Path], encoder: EncoderConfig, training: TrainingConfig
) -> tuple[Speed, Speed, Speed]:
    """Records read, epochs begun and windows made, per second."""
    curves = read_light_curves(files)  # loads and traces, too
    epoch = an_epoch(curves, 0, encoder, training)
    steps = range(min(_BATCHES, len(epoch)))

    def begin() -> float:
        an_epoch(curves, 1, encoder, training)
        return 1.0

    ways: dict[str, Way] = {
        "read": lambda: float(len(read_light_curves(files))),
        "begin": begin,
        "windows": lambda: float(sum(len(epoch.batch(step)) for step in steps)),
    }
    speeds = take_turns(ways, 1)
    return speeds["read"], speeds["begin"], speeds["windows"]


def replicas_table(sizes: Sizes, rounds: int, folder: Path) -> str:
    """One replica and two (on GPUs: one and all), each in a process of its own.

    Two CPU replicas share the cores of one: they show what dividing a step costs.
    """
    lines = [
        f"{'replicas':18}{'windows/s':>11}{'time':>8}{'CPU time':>10}"
        "   (of a window, over one replica's)"
    ]
    found: list[Speed] = []
    for one in (True, False):
        (number, speed), _ = in_a_child(partial(_replicated, one, sizes, rounds, folder))
        found.append(speed)
        wall = found[0].median / speed.median
        processor = found[0].processor_median / speed.processor_median
        lines.append(f"{number:18}{speed.median:11.1f}{wall:8.2f}{processor:10.2f}")
    return "\n".join(lines)


def _replicated(one: bool, sizes: Sizes, rounds: int, folder: Path) -> tuple[str, Speed]:
    if tf.config.list_physical_devices("GPU"):
        strategy = make_strategy(one_device=one)
    else:
        strategy = make_strategy(1 if one else 2)
    speeds = take_turns({"step": step_way(folder, *sizes, strategy)}, rounds)
    return str(strategy.num_replicas_in_sync), speeds["step"]
