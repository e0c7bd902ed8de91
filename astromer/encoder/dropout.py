"""Dropout whose draw depends on the step and the window, not on the replica."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

_PHILOX = 1
_NUMBERS_PER_COUNTER = 16  # of 8 bits
_LEVELS = 2**16
_MOST = _LEVELS - 2**8  # with 8 bits, a higher rate drops everything
# Odd, so that it runs through all 256 remainders: then 8 random bits meet a rate of 16 bits.
_STRIDE = 157


class CounterDropout(keras.layers.Layer):
    """Dropout from a counter-based generator.

    With a ``dropout_key`` the draw is a function of (key, layer, row of the global batch): a batch
    divided over replicas, or a resumed run, drops the same values. Without one (a user's own
    ``fit``) it is ordinary dropout.

    Args:
        rate: fraction of the values that is set to 0, in [0, 1); with a key, the nearest
            multiple of 2^-16 up to 255/256.
        salt: number of the layer within the model.
    """

    def __init__(self, rate: float, salt: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be in [0, 1). Received: rate={rate}")
        self.rate, self.salt = rate, salt

    def call(
        self, x: tf.Tensor, training: bool = False, dropout_key: tf.Tensor | None = None
    ) -> tf.Tensor:
        """x: float [batch, ...]; dropout_key: int64 [3] = (seed, step, first row) or None."""
        kept = self.kept(tf.shape(x), training, dropout_key)
        # As a product: choosing between x and 0 takes three times as long on a CPU.
        return x if kept is None else x * (tf.cast(kept, x.dtype) * self.scale)

    @property
    def scale(self) -> float:
        """The factor of kept values."""
        return _LEVELS / (_LEVELS - self._level)

    @property
    def _level(self) -> int:
        return min(round(self.rate * _LEVELS), _MOST)

    def kept(
        self, shape: tf.Tensor, training: bool = False, dropout_key: tf.Tensor | None = None
    ) -> tf.Tensor | None:
        """bool of this shape, True for kept values; None if all are kept."""
        if not training or self.rate == 0:
            return None
        if dropout_key is None:
            return tf.random.uniform(shape) >= self._level / _LEVELS
        return self._draw(shape, dropout_key) >= self._thresholds(shape, dropout_key)

    def _thresholds(self, shape: tf.Tensor, dropout_key: tf.Tensor) -> tf.Tensor:
        """uint8 [batch, ..., 1], 256 rates rounded up and down so that the mean is exact."""
        vectors = tf.reduce_prod(shape[1:-1])
        row = tf.cast(dropout_key[2] % 256, tf.int32) + tf.range(shape[0])
        index = row[:, None] + tf.range(vectors)[None, :]
        threshold = tf.cast((self._level + (index * _STRIDE) % 256) // 256, tf.uint8)
        return tf.reshape(threshold, tf.concat([shape[:-1], [1]], axis=0))

    def _draw(self, shape: tf.Tensor, dropout_key: tf.Tensor) -> tf.Tensor:
        """uint8, eight for each 64 random bits, as the generator takes most of the time."""
        seed, step, first_row = tf.unstack(tf.cast(dropout_key, tf.int64))
        # Every row starts at a counter of its own, whatever the size of the batch before it.
        row = tf.reduce_prod(tf.cast(shape[1:], tf.int64))
        counters = (row + _NUMBERS_PER_COUNTER - 1) // _NUMBERS_PER_COUNTER
        low, high = first_row * counters, step * 1024 + self.salt
        values = tf.raw_ops.StatelessRandomUniformFullIntV2(
            shape=tf.stack([tf.cast(shape[0], tf.int64), counters, _NUMBERS_PER_COUNTER // 8]),
            key=tf.cast(seed, tf.uint64)[None],
            counter=tf.cast(tf.stack([low, high]), tf.uint64),
            alg=_PHILOX,
            dtype=tf.uint64,
        )
        drawn = tf.reshape(tf.bitcast(values, tf.uint8), [shape[0], -1])
        return tf.reshape(drawn[:, :row], shape)
