"""How the cost of training grows with the model, the data and the replicas."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.records.reader import read_light_curves
from astromer.system.distribution import make_strategy
from astromer.training.config import TrainingConfig
from tools.benchmarks.measuring.curves import make_curves, mixed_lengths, write_records
from tools.benchmarks.measuring.flops import training_flops
from tools.benchmarks.measuring.products import best_product, product_makers, product_turns
from tools.benchmarks.measuring.turns import Way, take_turns
from tools.benchmarks.measuring.workers import Make, running
from tools.benchmarks.sections.training import an_epoch, make_step

Sizes = tuple[EncoderConfig, TrainingConfig]
_BATCHES = 40  # of an epoch over many light curves, that are made to know how fast that is


def of_encoder(knob: str, values: Sequence[int], sizes: Sizes) -> dict[str, Sizes]:
    """The sizes, with one of the encoder's changed."""
    encoder, training = sizes
    changes: list[dict[str, Any]] = [{knob: value} for value in values]
    return {f"{c[knob]}": (dataclasses.replace(encoder, **c), training) for c in changes}


def of_training(knob: str, values: Sequence[int | str], sizes: Sizes) -> dict[str, Sizes]:
    """The sizes, with one of the training's changed."""
    encoder, training = sizes
    changes: list[dict[str, Any]] = [{knob: value} for value in values]
    return {f"{c[knob]}": (encoder, dataclasses.replace(training, **c)) for c in changes}


def step_table(
    title: str, points: Mapping[str, Sizes], reference: str, rounds: int, folder: Path
) -> str:
    """The train step at several sizes, in turn in one process; matrix products in others.

    Args:
        title: what changes.
        points: the sizes, by what the table calls them.
        reference: the point that the others are compared with, and the sizes of the products.
        rounds: turns that count.
        folder: for logs.
    """
    precisions = list(dict.fromkeys(training.precision for _, training in points.values()))
    makers: dict[str, Make] = {
        "steps": partial(step_ways, points, folder),
        **product_makers(points[reference][0], precisions),
    }
    with running(makers) as workers:
        turns = {name: partial(workers["steps"].turn, name) for name in points}
        speeds = take_turns({**turns, **product_turns(workers, precisions)}, rounds)
    base, of_base = speeds[reference], training_flops(points[reference][0])
    lines = [
        f"{title:18}{'windows/s':>11}{'GFLOP/s':>9}{'of product':>12}{'time':>8}"
        f"{'CPU time':>10}{'MFLOP':>8}   (of a window, over those of {reference})"
    ]
    for name, (encoder, training) in points.items():
        flops, speed = training_flops(encoder), speeds[name]
        product = speeds[best_product(speeds, training.precision)]
        wall, processor = base.over(speed)
        rate, share = speed.median * flops, speed.over(product)[0] * flops
        lines.append(
            f"{name:18}{speed.median:11.1f}{rate / 1e9:9.0f}{share:12.0%}"
            f"{wall:8.2f}{processor:10.2f}{flops / of_base:8.2f}"
        )
    return "\n".join(lines)


def step_ways(points: Mapping[str, Sizes], folder: Path) -> Mapping[str, Way]:
    """A train step at each of the sizes."""
    return {name: step_way(folder, *sizes) for name, sizes in points.items()}


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
        with running({"data": partial(data_ways, files, *sizes)}) as workers:
            worker = workers["data"]
            speeds = take_turns({name: partial(worker.turn, name) for name in worker.names}, 1)
        read, begin, windows = (speeds[name] for name in ("read", "begin", "windows"))
        lines.append(
            f"{count:<18,}{read.median:11,.0f}{read.processor_median:11,.0f}"
            f"{1e3 / begin.processor_median:12.1f}"
            f"{windows.median:11,.0f}{windows.processor_median:11,.0f}{worker.peak / 2**20:10.0f}"
        )
    return "\n".join(lines)


def data_ways(
    files: Sequence[Path], encoder: EncoderConfig, training: TrainingConfig
) -> Mapping[str, Way]:
    """Reading records, beginning epochs, and making windows."""
    curves = read_light_curves(files)  # loads and traces, too
    epoch = an_epoch(curves, 0, encoder, training)
    steps = range(min(_BATCHES, len(epoch)))

    def begin() -> float:
        an_epoch(curves, 1, encoder, training)
        return 1.0

    return {
        "read": lambda: float(len(read_light_curves(files))),
        "begin": begin,
        "windows": lambda: float(sum(len(epoch.batch(step)) for step in steps)),
    }


def replicas_table(sizes: Sizes, rounds: int, folder: Path) -> str:
    """One replica and two (on GPUs: one and all), in turn, each in a process of its own.

    Two CPU replicas share the cores that one uses for several passes at once: they show what
    dividing a step costs.
    """
    makers = {
        "one": partial(replicated_way, True, sizes, folder),
        "several": partial(replicated_way, False, sizes, folder),
    }
    with running(makers) as workers:
        number = {which: worker.names[0] for which, worker in workers.items()}
        turns = {which: partial(workers[which].turn, number[which]) for which in makers}
        speeds = take_turns(turns, rounds)
    lines = [
        f"{'replicas':18}{'windows/s':>11}{'time':>8}{'CPU time':>10}"
        "   (of a window, over one replica's)"
    ]
    for which, speed in speeds.items():
        wall, processor = speeds["one"].over(speed)
        lines.append(f"{number[which]:18}{speed.median:11.1f}{wall:8.2f}{processor:10.2f}")
    return "\n".join(lines)


def replicated_way(one: bool, sizes: Sizes, folder: Path) -> Mapping[str, Way]:
    """The train step of so many replicas, which is its name."""
    if tf.config.list_physical_devices("GPU"):
        strategy = make_strategy(one_device=one)
    else:
        strategy = make_strategy(1 if one else 2)
    return {str(strategy.num_replicas_in_sync): step_way(folder, *sizes, strategy)}
