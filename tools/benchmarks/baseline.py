"""A plain implementation of the same mathematics, to compare the package's speed with.

Astromer 1 as one would write it from the paper: three projections and textbook attention over
all steps, the positional encoding window by window, every window padded to the full length,
automatic differentiation. It hides what the package hides and computes the same loss; only the
draw of the dropout differs.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.encoder.reconstructor import Reconstructor
from astromer.training.config import TrainingConfig

_BLOCKED = -1e9


class Linear(tf.Module):
    """x kernel + bias over the last axis."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.kernel = tf.Variable(keras.initializers.GlorotUniform()((width, units)))
        self.bias = tf.Variable(tf.zeros(units))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.tensordot(x, self.kernel, axes=1) + self.bias


class Norm(tf.Module):
    """Layer normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma, self.beta = tf.Variable(tf.ones(width)), tf.Variable(tf.zeros(width))

    def copy_weights(self, layer: keras.layers.LayerNormalization) -> None:
        self.gamma.assign(layer.gamma)
        self.beta.assign(layer.beta)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, self.beta, self.gamma, 1e-6)


class Block(tf.Module):
    """Attention and a tanh feed-forward, each followed by dropout and normalisation."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width, ffn = config.d_model, config.ffn_dim or 128
        self.heads, self.depth = config.num_heads, width // config.num_heads
        self.rate = config.dropout
        self.query, self.key, self.value, self.merge = (Linear(width, width) for _ in range(4))
        self.ffn_in, self.ffn_out = Linear(width, ffn), Linear(ffn, width)
        self.norms = [Norm(width), Norm(width)]

    def __call__(self, x: tf.Tensor, blocked: tf.Tensor, training: bool) -> tf.Tensor:
        query, key, value = (self.split(part(x)) for part in (self.query, self.key, self.value))
        logits = tf.matmul(query, key, transpose_b=True) / tf.sqrt(float(self.depth))
        weights = tf.nn.softmax(logits + _BLOCKED * blocked[:, None, None, :])
        mixed = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        attended = self.merge(tf.reshape(mixed, tf.shape(x)))
        h = self.norms[0](self.dropout(attended, training))
        return self.norms[1](self.dropout(self.ffn_out(tf.tanh(self.ffn_in(h))), training))

    def split(self, x: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(x)
        x = tf.reshape(x, [shape[0], shape[1], self.heads, self.depth])
        return tf.transpose(x, [0, 2, 1, 3])

    def dropout(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.nn.dropout(x, self.rate) if training else x


class PlainModel(tf.Module):
    """The encoder and its reconstruction head.

    Args:
        config: sizes; the architecture is ``astromer_v1``.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.width = config.d_model
        self.embedding = Linear(1, config.d_model)
        self.blocks = [Block(config) for _ in range(config.num_layers)]
        self.norm, self.head = Norm(config.d_model), Linear(config.d_model, 1)

    def __call__(
        self, times: tf.Tensor, magnitudes: tf.Tensor, visible: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Inputs [B, T]; returns float32 [B, T]."""
        return self.head(self.norm(self.encode(times, magnitudes, visible, training)))[..., 0]

    def encode(
        self, times: tf.Tensor, magnitudes: tf.Tensor, visible: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Inputs [B, T]; returns float32 [B, T, width]."""
        shown = tf.where(visible, magnitudes, 0.0)[..., None]
        x = self.embedding(shown) + tf.map_fn(self.position, times)
        blocked = 1.0 - tf.cast(visible, tf.float32)
        for block in self.blocks:
            x = block(x, blocked, training)
        return x

    def copy_weights(self, model: Reconstructor) -> None:
        """Takes the weights of a model of the package, of the same sizes."""
        encoder = model.encoder
        pairs = [(self.embedding, encoder.embedding), (self.head, model.head)]
        for mine, theirs in zip(self.blocks, encoder.blocks, strict=True):
            kernels = np.split(np.asarray(theirs.attention.qkv.kernel), 3, axis=1)
            biases = np.split(np.asarray(theirs.attention.qkv.bias), 3)
            for part, kernel, bias in zip((mine.query, mine.key, mine.value), kernels, biases):
                part.kernel.assign(kernel)
                part.bias.assign(bias)
            pairs += [
                (mine.merge, theirs.attention.merge),
                (mine.ffn_in, theirs.ffn_in),
                (mine.ffn_out, theirs.ffn_out),
            ]
            for norm, layer in zip(mine.norms, (theirs.attention_norm, theirs.ffn_norm)):
                norm.copy_weights(layer)
        self.norm.copy_weights(model.norm)
        for mine, layer in pairs:
            mine.kernel.assign(layer.kernel)
            mine.bias.assign(layer.bias)

    def position(self, times: tf.Tensor) -> tf.Tensor:
        """float32 [T, width], the positional encoding of one window [T]."""
        index = np.arange(self.width)
        angle = times[:, None] * (10000.0 ** (-2.0 * index / self.width)).astype(np.float32)
        return tf.where(index % 2 == 0, tf.sin(angle), tf.cos(angle))


class PlainTraining:
    """One step of Adam on a batch of windows.

    Args:
        model: the model.
        training: the learning rate.
    """

    def __init__(self, model: PlainModel, training: TrainingConfig) -> None:
        self.model = model
        self.variables = list(model.trainable_variables)
        self.slots = [[tf.Variable(tf.zeros_like(v)) for v in self.variables] for _ in range(2)]
        self.rate = training.learning_rate
        self.count = tf.Variable(0.0)
        self.step = tf.function(self._step, reduce_retracing=True)

    def _step(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        target: tf.Tensor,
        probed: tf.Tensor,
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            predicted = self.model(times, magnitudes, visible, training=True)
            loss = plain_loss(target, predicted, probed)
        self._adam(tape.gradient(loss, self.variables))
        return loss

    def _adam(self, gradients: Sequence[tf.Tensor]) -> None:
        self.count.assign_add(1.0)
        scale = tf.sqrt(1 - 0.98**self.count) / (1 - 0.9**self.count)
        for variable, gradient, mean, square in zip(
            self.variables, gradients, *self.slots, strict=True
        ):
            mean.assign(0.9 * mean + 0.1 * gradient)
            square.assign(0.98 * square + 0.02 * gradient**2)
            variable.assign_sub(self.rate * scale * mean / (tf.sqrt(square) + 1e-9))


def plain_loss(target: tf.Tensor, predicted: tf.Tensor, probed: tf.Tensor) -> tf.Tensor:
    """sqrt(mean over windows of the mean squared error of their probed steps)."""
    chosen = tf.cast(probed, tf.float32)
    error = tf.reduce_sum(chosen * tf.square(target - predicted), axis=1)
    return tf.sqrt(tf.reduce_mean(tf.math.divide_no_nan(error, tf.reduce_sum(chosen, axis=1))))
