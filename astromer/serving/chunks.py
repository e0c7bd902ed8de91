"""The network over many windows, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from astromer.serving.windowing import GraphWindows

# Steps that the network works on at once; bounds its memory, whatever the batch. From 8 to 64
# windows of 200 the time differs by a tenth.
STEPS_PER_CHUNK = 6_400

Network = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]]


def over_chunks(
    network: Network, windows: GraphWindows, outputs: tuple[tf.TensorSpec, ...], whole: bool
) -> tuple[tf.Tensor, ...]:
    """Applies the network to windows of like length together, padded to the longest of them.

    Args:
        network: called with times, magnitudes, visible and observed, each [some, steps]; each
            result has [some] or [some, steps] as its first dimensions, as ``outputs`` says.
        windows: the windows.
        outputs: of each result, what follows the first dimension. One whose shape starts with
            None has a step for each of the longest window, 0 beyond those of its chunk.
        whole: give the network whole windows: public weights read the padding, too.

    Returns:
        The results, [num_windows, ...], in the order of the windows.
    """
    window_size = windows.times.shape[1]
    length = tf.math.count_nonzero(windows.observed, axis=1, dtype=tf.int32)
    longest = window_size if whole else tf.maximum(tf.reduce_max(length), 1)
    most = tf.maximum(STEPS_PER_CHUNK // longest, 1)
    count = tf.size(length)
    chunks = tf.maximum((count + most - 1) // most, 1)
    size = tf.maximum((count + chunks - 1) // chunks, 1)
    order = tf.argsort(length, direction="DESCENDING", stable=True)

    def divided(values: tf.Tensor) -> tf.Tensor:
        ordered = tf.pad(tf.gather(values, order), [[0, chunks * size - count], [0, 0]])
        return tf.reshape(ordered, [chunks, size, window_size])

    def of_chunk(inputs: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        observed = inputs[-1]
        most_steps = tf.reduce_max(tf.math.count_nonzero(observed, axis=1, dtype=tf.int32))
        steps = window_size if whole else tf.maximum(most_steps, 1)
        results = network(*(values[:, :steps] for values in inputs))
        return tuple(
            _pad_steps(result, longest - steps) if _has_steps(spec) else result
            for result, spec in zip(results, outputs, strict=True)
        )

    inputs = (windows.times, windows.magnitudes, windows.visible, windows.observed)
    results = tf.map_fn(
        of_chunk,
        tuple(divided(values) for values in inputs),
        fn_output_signature=tuple(
            tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in outputs
        ),
        parallel_iterations=1,
    )
    back = tf.argsort(order)
    return tuple(
        tf.gather(tf.reshape(r, tf.concat([[chunks * size], tf.shape(r)[2:]], axis=0)), back)
        for r in results
    )


def _has_steps(spec: tf.TensorSpec) -> bool:
    return len(spec.shape) > 0 and spec.shape[0] is None


def _pad_steps(values: tf.Tensor, more: tf.Tensor) -> tf.Tensor:
    rest = [[0, 0]] * (len(values.shape) - 2)
    return tf.pad(values, [[0, 0], [0, more], *rest])
