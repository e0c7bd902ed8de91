"""Three ways to embed light curves: the Python API, one light curve at a time, onnxruntime."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import tensorflow as tf

import astromer
from astromer.commands.export_onnx import export_onnx
from astromer.encoder.config import EncoderConfig
from astromer.encoder.encoder import Encoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import find_periods
from astromer.serving.embedder import Embedder
from astromer.serving.export import export_saved_model, load_model
from astromer.windows.batches import assemble, sequential_windows
from astromer.windows.masking import nothing_probed
from tools.benchmarks.measuring.curves import make_curves

BATCH = 64
Way = Callable[[LightCurves], np.ndarray]


def report_size(
    name: str, config: EncoderConfig, lengths: dict[str, np.ndarray], rounds: int, threads: int
) -> None:
    """Exports a model of the size, measures every way and prints the lines."""
    with tempfile.TemporaryDirectory() as folder:
        pushed, file = Path(folder) / "1", Path(folder) / "astromer.onnx"
        export_saved_model(Reconstructor.from_settings(config, seed=0), pushed)
        export_onnx(pushed, file)
        ways = {
            "encoder, one by one": one_by_one(load_model(pushed).encoder),
            "astromer.load().embed": batched(astromer.load(pushed)),
            "onnxruntime, batched": by_onnxruntime(file, threads),
        }
        for kind, some in lengths.items():
            report(name, kind, measure(ways, make_curves(some), rounds))


def report_periods(name: str, config: EncoderConfig, count: int, rounds: int) -> None:
    """The same for an encoder that sees periods, on light curves like those of ASAS."""
    with tempfile.TemporaryDirectory() as folder:
        pushed = Path(folder) / "1"
        export_saved_model(Reconstructor.from_settings(config, seed=0), pushed)
        ways: dict[str, Callable[[LightCurves], object]] = {
            "period search alone": find_periods,
            "astromer.load().embed": batched(astromer.load(pushed)),
        }
        curves = make_curves(np.full(count, _ASAS_LENGTH), days=_ASAS_DAYS / _ASAS_LENGTH)
        for way in ways.values():
            way(curves.take(np.arange(min(count, BATCH))))
        report(name, "asas", rates_of(ways, curves, rounds))


_ASAS_LENGTH, _ASAS_DAYS = 454, 2500
"""Mean number of observations and span of the light curves of ASAS."""


def pooled(mean: np.ndarray, lengths: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Means of windows to means of light curves."""
    first = np.flatnonzero(np.diff(curve, prepend=-1))
    total = np.add.reduceat(mean * lengths[:, None], first)
    return total / np.add.reduceat(lengths, first)[:, None]


def batched(embedder: Embedder) -> Way:
    """The Python API, as documented."""
    return lambda curves: embedder.embed(curves, batch_size=BATCH, progress=False).mean


def one_by_one(encoder: Encoder) -> Way:
    """The encoder, called (compiled, without retracing) for each light curve's windows."""
    call = tf.function(
        encoder.call,
        input_signature=[
            tf.TensorSpec([None, 200], dtype) for dtype in (tf.float32, tf.float32, tf.bool)
        ],
    )

    def run(curves: LightCurves) -> np.ndarray:
        means = []
        for row in range(len(curves)):
            offsets = np.array([0, curves.lengths[row]]) + curves.offsets[row]
            windows = sequential_windows(offsets, 200)
            batch = assemble(curves, windows, nothing_probed(windows.length, 200))
            observed = batch.probing.observed
            z = call(batch.times, batch.magnitudes, observed).numpy()
            means.append(z[observed].mean(axis=0))
        return np.stack(means)

    return run


def by_onnxruntime(path: Path, threads: int) -> Way:
    """The exported file, BATCH windows at a time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    def run(curves: LightCurves) -> np.ndarray:
        windows = sequential_windows(curves.offsets, 200)
        means = []
        for first in range(0, len(windows), BATCH):
            some = windows[first : first + BATCH]
            batch = assemble(curves, some, nothing_probed(some.length, 200))
            feed = {
                "input": batch.magnitudes[..., None],
                "times": batch.times[..., None],
                "mask_in": batch.probing.observed[..., None].astype(np.float32),
            }
            means.append(session.run(["mean"], feed)[0])
        return pooled(np.concatenate(means), windows.length, windows.curve)

    return run


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one call: on the wall clock, and of all processors together."""
    started, used = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - started, time.process_time() - used


def measure(ways: dict[str, Way], curves: LightCurves, rounds: int) -> dict[str, np.ndarray]:
    """Light curves per second [rounds, 2], wall and processor, of each way.

    All must agree on some light curves first, which warms them up.
    """
    few = make_curves(curves.lengths[:BATCH])
    answers = [way(few) for way in ways.values()]
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], atol=1e-3)
    return rates_of(ways, curves, rounds)


def rates_of(
    ways: Mapping[str, Callable[[LightCurves], object]], curves: LightCurves, rounds: int
) -> dict[str, np.ndarray]:
    """Light curves per second [rounds, 2], wall and processor, of each way, in turns."""
    took: list[dict[str, tuple[float, float]]] = []
    for _ in range(rounds):
        took.append({name: seconds(partial(way, curves)) for name, way in ways.items()})
    return {name: len(curves) / np.array([turn[name] for turn in took]) for name in ways}


def report(size: str, kind: str, rates: dict[str, np.ndarray]) -> None:
    """Prints the lines of one size and one set."""
    reference, *_ = rates.values()
    for way, measured in rates.items():
        ratio, cpu_ratio = np.median(measured / reference, axis=0)
        rate = np.median(measured[:, 0])
        line = f"{size:22}{kind:8}{way:26}{rate:10.1f}{ratio:8.2f}{cpu_ratio:11.2f}"
        print(line, flush=True)
