"""The AstroMer encoder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.block import EncoderBlock, PreNormBlock
from astromer.encoder.config import PHASE, numbers
from astromer.encoder.dropout import CounterDropout
from astromer.encoder.layers import FlatDense
from astromer.encoder.order import AsGiven, Order, Presorted, Quirks, VisibleFirst
from astromer.encoder.phase_features import NUM_COLUMNS, PHASE_INPUTS, phase_features
from astromer.encoder.steps import Embedded, Steps
from astromer.periodogram.lomb_scargle import PeriodogramConfig

WINDOW_INPUTS = {
    "times": tf.TensorSpec([None, None], tf.float32),
    "magnitudes": tf.TensorSpec([None, None], tf.float32),
    "visible": tf.TensorSpec([None, None], tf.bool),
}
"""What every architecture reads; see :meth:`Encoder.call`."""


def positional_encoding(times: tf.Tensor, d_model: int, base: float) -> tf.Tensor:
    """Encodes times as in Astromer 1 (Donoso-Oliva et al. 2023, eq. 4, as implemented).

    a_i = t * base^(-2 i / d_model) for i = 0 .. d_model - 1; sin at even i, cos at odd i.

    Args:
        times: float32 [batch, steps], days since the window's mean.
        d_model: width.
        base: 10000 in the public code, whatever its settings say.

    Returns:
        float32 [batch, steps, d_model].
    """
    index = np.arange(d_model)
    rate = np.power(base, -2.0 * index / d_model).astype(np.float32)
    # Not as cos(a) = sin(a + pi/2), which loses precision at large angles.
    sines = tf.sin(times[..., None] * rate[0::2])
    cosines = tf.cos(times[..., None] * rate[1::2])
    if d_model % 2:
        cosines = tf.pad(cosines, [[0, 0], [0, 0], [0, 1]])
    # Stacking along the last axis would copy number by number.
    pairs = tf.transpose(tf.stack([sines, cosines], axis=2), [0, 1, 3, 2])
    shape = tf.shape(times)
    encoded = tf.reshape(pairs, [shape[0], shape[1], -1])[..., :d_model]
    return tf.ensure_shape(encoded, [*times.shape, d_model])


class Encoder(keras.layers.Layer):
    """Turns windows of a light curve into one vector per step.

    Hidden and padded steps are blocked as attention keys, never as queries. Their magnitudes are
    replaced before the first layer, so that no hidden value can reach the network.

    Args:
        architecture: "astromer_v1" (Donoso-Oliva et al. 2023: hidden inputs are zero, no skip
            connections, feed-forward 128) or "astromer_v2" (Astromer 2: trainable mask token at
            hidden steps, projected skip connections, feed-forward 256) or "astromer_phase" (its
            input embedding is linear in the features of :mod:`astromer.encoder.phase_features`,
            magnitudes divided by their visible spread; its blocks normalise their inputs, see
            :class:`~astromer.encoder.block.PreNormBlock`; feed-forward 256).
        d_model, num_heads, num_layers: sizes.
        ffn_dim: width of the feed-forward layer; 0 = the architecture's own.
        dropout: dropout rate.
        pe_base: base of the positional encoding.
        max_frequency, left_out_frequencies, frequency_dropout: of "astromer_phase", see
            :class:`~astromer.encoder.config.EncoderConfig`.
        quirks: of imported public weights; None for our own.
        seed: of the initial weights; None draws them at random.

    Raises:
        ValueError: for an unknown architecture or a width that the heads do not divide.
    """

    FFN_DIM: ClassVar[dict[str, int]] = {"astromer_v1": 128, "astromer_v2": 256, PHASE: 256}
    _SHAPE = (
        *("architecture", "d_model", "num_heads", "num_layers", "ffn_dim", "dropout", "pe_base"),
        *("max_frequency", "left_out_frequencies", "frequency_dropout"),
    )

    def __init__(
        self,
        architecture: str = "astromer_v1",
        d_model: int = 256,
        num_heads: int = 4,
        num_layers: int = 4,
        ffn_dim: int = 0,
        dropout: float = 0.1,
        pe_base: float = 10000.0,
        max_frequency: float = PeriodogramConfig.max_frequency,
        left_out_frequencies: str = "",
        frequency_dropout: float = 0.1,
        quirks: Quirks | dict[str, Any] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if architecture not in self.FFN_DIM:
            raise ValueError(
                f"architecture must be one of {sorted(self.FFN_DIM)}. Received: {architecture!r}"
            )
        self.architecture, self.d_model, self.num_heads = architecture, d_model, num_heads
        self.num_layers, self.ffn_dim = num_layers, ffn_dim or self.FFN_DIM[architecture]
        self.dropout, self.pe_base, self.seed = dropout, pe_base, seed
        self.quirks = Quirks(**quirks) if isinstance(quirks, dict) else quirks
        self.folds = architecture == PHASE
        self.max_frequency, self.left_out_frequencies = max_frequency, left_out_frequencies
        self.periodogram = PeriodogramConfig(max_frequency, left_out=numbers(left_out_frequencies))
        self.frequency_dropout = frequency_dropout
        glorot = keras.initializers.GlorotUniform(seed)
        name = "phase_embedding" if self.folds else "magnitude_embedding"
        self.embedding = FlatDense(d_model, kernel_initializer=glorot, name=name)
        if self.folds:
            self.drop_frequencies = CounterDropout(frequency_dropout, salt=2 * num_layers)
        block = PreNormBlock if self.folds else EncoderBlock
        self.blocks = [
            block(
                num_heads,
                self.ffn_dim,
                dropout,
                skip=architecture == "astromer_v2",
                salt=number,
                seed=None if seed is None else seed + 100 * (number + 1),
                name=f"block_{number}",
            )
            for number in range(num_layers)
        ]

    def build(self, input_shape: Any = None) -> None:
        self.embedding.build((None, None, NUM_COLUMNS if self.folds else 1))
        for block in self.blocks:
            block.build((None, None, self.d_model))
        if self.architecture == "astromer_v2":
            self.mask_token = self.add_weight(shape=(), initializer="zeros", name="mask_token")
        self.built = True

    def call(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
        **folded: tf.Tensor,
    ) -> tf.Tensor:
        """Encodes windows.

        Args:
            times: float32 [batch, steps], days since the window's mean time; finite everywhere.
            magnitudes: float32 [batch, steps], centred; ignored where not visible.
            visible: bool [batch, steps], False at hidden steps and padding.
            dropout_key: see :class:`~astromer.encoder.dropout.CounterDropout`.
            folded: further inputs of "astromer_phase", see :attr:`inputs`.

        Returns:
            float32 [batch, steps, d_model]; undefined at padding.
        """
        return self.layer_outputs(times, magnitudes, visible, training, dropout_key, **folded)[-1]

    def layer_outputs(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
        **folded: tf.Tensor,
    ) -> list[tf.Tensor]:
        """The input embedding and the output of each block: num_layers + 1 tensors."""
        order, x = self.embed_ordered(
            times, magnitudes, visible, training=training, dropout_key=dropout_key, **folded
        )
        outputs = self.run(x, order, training=training, dropout_key=dropout_key)
        return [order.restore(z.value()) for z in outputs]

    def attention(
        self, times: tf.Tensor, magnitudes: tf.Tensor, visible: tf.Tensor, **folded: tf.Tensor
    ) -> list[tf.Tensor]:
        """The attention weights that :meth:`call` uses with the same arguments, of every block.

        Returns:
            float32 [batch, heads, steps, steps] for each block: of a step (third axis) to the
            steps of the window (last axis), along which they add up to 1.
        """
        order, embedded = self.embed_ordered(times, magnitudes, visible, **folded)
        outputs = self.run(embedded, order)
        found = []
        for block, x in zip(self.blocks, outputs):
            weights = block.attention.attention_weights(x, order.bias, order.keys(x))
            missing = tf.shape(weights)[2] - tf.shape(weights)[3]  # steps that are no keys
            weights = tf.pad(weights, [[0, 0], [0, 0], [0, 0], [0, missing]])
            by_query = order.restore(tf.transpose(weights, [0, 2, 3, 1]))
            by_key = order.restore(tf.transpose(by_query, [0, 2, 1, 3]))
            found.append(tf.transpose(by_key, [0, 3, 2, 1]))
        return found

    def order(self, visible: tf.Tensor, num_keys: tf.Tensor | None = None) -> Order:
        """The order of steps in which the encoder works.

        ``num_keys``, int32, says that the visible ones, bool [batch, steps], are among so many
        first ones already.
        """
        if self.quirks is not None:
            return AsGiven(visible, self.quirks)
        return VisibleFirst(visible) if num_keys is None else Presorted(visible, num_keys)

    @property
    def inputs(self) -> dict[str, tf.TensorSpec]:
        """What :meth:`call` reads, by name."""
        return WINDOW_INPUTS | PHASE_INPUTS if self.folds else WINDOW_INPUTS

    def embed_ordered(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
        **folded: tf.Tensor,
    ) -> tuple[Order, Embedded]:
        """The order for these windows, and their input embedding in it."""
        order = self.order(visible)
        times, magnitudes, shown = map(order.apply, (times, magnitudes, visible))
        for name in ("errmag", "phases") if self.folds else ():
            folded[name] = order.apply(folded[name])
        return order, self.embed(
            times, magnitudes, shown, training=training, dropout_key=dropout_key, **folded
        )

    def embed(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        dtype: tf.DType = tf.float32,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
        **folded: tf.Tensor,
    ) -> Embedded:
        """Input embedding, [batch, steps, d_model] of ``dtype``: magnitude plus position.

        Arguments in the encoder's order of steps.
        """
        position = positional_encoding(times, self.d_model, self.pe_base)
        kernel = tf.convert_to_tensor(self.embedding.kernel)
        bias = tf.convert_to_tensor(self.embedding.bias)
        fits = scatter = None
        if self.folds:
            kept = self._kept_frequencies(tf.shape(times)[0], training, dropout_key)
            read, fits, scatter = phase_features(times, magnitudes, visible, kept=kept, **folded)
            columns = tf.concat([read, tf.ones_like(times)[..., None]], axis=-1)
            rows = tf.concat([kernel, bias[None]], axis=0)
        else:
            shows_hidden = self.quirks is not None and self.quirks.shows_hidden
            shown = magnitudes if shows_hidden else tf.where(visible, magnitudes, 0.0)
            listed, kernels = [shown, tf.ones_like(shown)], [kernel[0], bias]
            if self.architecture == "astromer_v2" and not shows_hidden:
                listed.append(tf.cast(~visible, tf.float32))
                kernels.append(self.mask_token * kernel[0])
            columns, rows = tf.stack(listed, axis=-1), tf.stack(kernels)
        embedded = Embedded(tf.cast(columns, dtype), rows, tf.cast(position, dtype))
        embedded.fits, embedded.scatter = fits, scatter
        return embedded

    def _kept_frequencies(
        self, batch: tf.Tensor, training: bool, dropout_key: tf.Tensor | None
    ) -> tf.Tensor | None:
        shape = tf.stack([batch, PHASE_INPUTS["phases"].shape[-1]])
        kept = self.drop_frequencies.kept(shape, training, dropout_key)
        return None if kept is None else tf.cast(kept, tf.float32)

    def run(
        self,
        x: Steps,
        order: Order,
        first: tf.Tensor | None = None,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
    ) -> list[Steps]:
        """Runs the blocks.

        Args:
            x: the input embedding, in the encoder's order.
            order: from :meth:`order`, of these windows.
            first: int32, the last block leaves out the steps before this one; None for none.

        Returns:
            The input embedding and the output of each block.
        """
        outputs = [x]
        for number, block in enumerate(self.blocks, start=1):
            x, keys = outputs[-1], order.keys(outputs[-1])
            queries = x.part(first) if first is not None and number == len(self.blocks) else x
            outputs.append(block.read(queries, order.bias, keys, training, dropout_key))
        return outputs

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that build an encoder of the same shape, JSON-able, by name."""
        settings: dict[str, Any] = {name: getattr(self, name) for name in self._SHAPE}
        settings["quirks"] = None if self.quirks is None else asdict(self.quirks)
        return dict(sorted(settings.items()))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings, "seed": self.seed}
