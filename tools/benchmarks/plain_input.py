"""A plain input pipeline with the same rules, to compare the package's speed with.

As one would write it with tf.data: records are parsed one at a time, each light curve is cut
into random windows, each window is masked and padded by itself, then shuffled, batched and
prefetched. It probes and hides as the package does; only the draws differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from astromer.windows.config import MaskingConfig

_SHUFFLED = 10_000  # windows
_SERIES = ("mjd", "mjd_residual", "mag", "errmag")

Tensors = dict[str, tf.Tensor]


def plain_batches(
    files: Sequence[Path],
    window_size: int,
    batch_size: int,
    masking: MaskingConfig,
    *,
    cache: bool = False,
) -> tf.data.Dataset:
    """One epoch of batches: dicts of [B, window_size], and ``centre`` [B].

    Args:
        files: record files.
        window_size, batch_size, masking: the knobs.
        cache: keep the parsed light curves in memory after the first epoch.
    """
    curves = tf.data.TFRecordDataset([str(file) for file in files])
    curves = curves.map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    if cache:
        curves = curves.cache()
    windows = curves.flat_map(lambda curve: cut(curve, window_size)).shuffle(_SHUFFLED)
    return (
        windows.map(lambda w: mask(w, window_size, masking), num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size)
        .prefetch(tf.data.AUTOTUNE)
    )


def parse(record: tf.Tensor) -> Tensors:
    """mjd [days, float64], mag and errmag [mag], each [n], of one SequenceExample."""
    features = {name: tf.io.VarLenFeature(tf.float32) for name in _SERIES}
    _, lists = tf.io.parse_single_sequence_example(record, sequence_features=features)
    mjd, residual, mag, errmag = (
        tf.reshape(tf.sparse.to_dense(lists[name]), [-1]) for name in _SERIES
    )
    mjd = tf.cast(mjd, tf.float64) + tf.cast(residual, tf.float64)
    return {"mjd": mjd, "mag": mag, "errmag": errmag}


def cut(curve: Tensors, window_size: int) -> tf.data.Dataset:
    """Random windows of one light curve: as many as it would fill, shorter where it is."""
    length = tf.size(curve["mag"])
    count = -(-length // window_size)
    latest = tf.maximum(length - window_size, 0)
    start = tf.random.uniform([count], 0, latest + 1, tf.int32)
    index = start[:, None] + tf.range(tf.minimum(length, window_size))
    windows = {name: tf.gather(values, index) for name, values in curve.items()}
    return tf.data.Dataset.from_tensor_slices(windows)


def mask(window: Tensors, window_size: int, masking: MaskingConfig) -> Tensors:
    """Probes and hides steps of one window, centres it and pads it."""
    length = tf.size(window["mag"])
    probed, same, random = counts(length, masking)
    order = tf.random.shuffle(tf.range(length))
    truthful = tf.concat([order[probed:], order[:same]], axis=0)
    replaced = order[same : same + random]
    lender = tf.gather(truthful, tf.range(random) % tf.maximum(tf.size(truthful), 1))

    centre = tf.math.divide_no_nan(
        tf.reduce_sum(tf.gather(tf.cast(window["mag"], tf.float64), truthful)),
        tf.cast(tf.size(truthful), tf.float64),
    )
    target = tf.cast(tf.cast(window["mag"], tf.float64) - centre, tf.float32)
    hidden = marked(order[same + random : probed], length)
    shown = tf.tensor_scatter_nd_update(target, replaced[:, None], tf.gather(target, lender))
    arrays = {
        "times": tf.cast(window["mjd"] - tf.reduce_mean(window["mjd"]), tf.float32),
        "magnitudes": tf.where(hidden, 0.0, shown),
        "target": target,
        "visible": ~hidden,
        "probed": marked(order[:probed], length),
        "hidden": hidden,
        "random": marked(replaced, length),
        "observed": tf.ones([length], tf.bool),
    }
    missing = window_size - length
    padded = {name: tf.pad(values, [[0, missing]]) for name, values in arrays.items()}
    errmag = tf.pad(window["errmag"], [[0, missing]], constant_values=1.0)
    return {**padded, "errmag": errmag, "centre": tf.cast(centre, tf.float32)}


def counts(length: tf.Tensor, masking: MaskingConfig) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Probed, same and random steps of a window."""
    steps = tf.cast(length, tf.float64)
    probed = tf.floor(masking.probed * steps + 1e-9)
    same = tf.math.ceil(masking.same * probed - 1e-9)
    random = tf.math.ceil(masking.random * (probed - same) - 1e-9)
    random = tf.where(steps - probed + same > 0, random, 0.0)
    return tf.cast(probed, tf.int32), tf.cast(same, tf.int32), tf.cast(random, tf.int32)


def marked(steps: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """bool [length], True at the steps."""
    return tf.scatter_nd(steps[:, None], tf.ones_like(steps), length[None]) > 0
