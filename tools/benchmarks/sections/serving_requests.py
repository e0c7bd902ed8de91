"""Requests of rising size to a pushed model, and the memory of this process during each."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.serving.config import ServingConfig
from astromer.serving.saved_model import read_config
from tools.benchmarks.measuring.memory import forget_peak, peak_memory, resident_memory

Request = Callable[[], dict[str, tf.Tensor]]


def report_requests(model: str, share: float) -> None:
    """Loads the model, asks, and prints a line for each request."""
    config = read_config(model)
    signatures = tf.saved_model.load(str(Path(model))).signatures
    flat(signatures, np.array([200]))()
    before = resident_memory()
    print(f"{'request':44}{'observations':>14}{'memory':>10}{'time':>9}", flush=True)
    limits = ServingConfig(**config["serving"])
    for name, observations, request in requests(signatures, config, limits, share):
        forget_peak()
        begun = time.perf_counter()
        request()
        seconds = time.perf_counter() - begun
        memory = (peak_memory() - before) / 2**20
        print(f"{name:44}{observations:14,}{memory:7,.0f} MB{seconds:7.1f} s", flush=True)


def requests(
    signatures: dict, config: dict, limits: ServingConfig, share: float
) -> list[tuple[str, int, Request]]:
    """Name, number of observations, and request; from small to those just within the limits."""
    window, width = config["window_size"], config["encoder"]["d_model"]
    longest = int(share * limits.serve_max_observations)
    steps = int(share * limits.serve_max_steps)
    lengths = sorted({min(n, longest) for n in (1_000, 10_000, 100_000, longest)})
    found: list[tuple[str, int, Request]] = [
        (f"embed_ragged, 1 x {n:,}", n, flat(signatures, np.array([n]))) for n in lengths
    ]
    short = min(steps // window, int(share * limits.serve_max_batch))
    for many, n in (
        (short, 5),
        (short // 10, window),
        (max(steps // longest, 1), longest),
    ):
        name = f"embed_ragged, {many:,} x {n:,}"
        found.append((name, many * n, flat(signatures, np.full(many, n))))
    many = max(int(share * limits.serve_max_window_steps) // window, 1)
    found.append(
        (f"encode_windows, {many:,} x {window:,}", many * window, whole(signatures, many, window))
    )
    many = max(int(share * limits.serve_max_sequence) // (window * width), 1)
    found.append((f"embed, {many:,} x {window:,}", many * window, padded(signatures, many, window)))
    return found


def flat(signatures: dict, lengths: np.ndarray) -> Request:
    """Light curves end to end."""
    return lambda: signatures["embed_ragged"](
        **series((int(lengths.sum()),)), length=tf.constant(lengths, tf.int64)
    )


def padded(signatures: dict, many: int, steps: int) -> Request:
    """Light curves of equal length, and a vector for each of their steps."""
    return lambda: signatures["embed"](
        **series((many, steps)), length=tf.fill([many], tf.constant(steps, tf.int64))
    )


def whole(signatures: dict, many: int, steps: int) -> Request:
    """Windows that the caller cut."""
    ones = tf.ones([many, steps, 1])
    return lambda: signatures["encode_windows"](input=ones, times=ones, mask_in=ones)


def series(shape: tuple[int, ...]) -> dict[str, tf.Tensor]:
    """Times, magnitudes and errors of the shape."""
    rng = np.random.default_rng(0)
    return {
        "mjd": tf.constant(rng.uniform(50_000, 60_000, shape)),
        "mag": tf.constant(rng.normal(15, 0.5, shape).astype(np.float32)),
        "errmag": tf.constant(np.full(shape, 0.02, np.float32)),
    }
