"""What the network computes in matrix products: as written plainly, and in this package."""

from __future__ import annotations

import numpy as np

from astromer.encoder.config import EncoderConfig
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import counts

_FFN = {"astromer_v1": 128, "astromer_v2": 256}
_BACKWARD = 2  # gradients of both factors of each product


def forward_flops(config: EncoderConfig) -> float:
    """Multiplications and additions of the matrix products of one full window, forward.

    Of the plain computation: all steps are keys, every window is padded. A way that needs fewer
    shows as a higher rate.
    """
    steps, width = config.window_size, config.d_model
    projections = 4 * 2 * steps * width**2
    attention = 2 * 2 * steps**2 * width
    feed_forward = 2 * 2 * steps * width * _ffn(config)
    return float(config.num_layers * (projections + attention + feed_forward))


def training_flops(config: EncoderConfig) -> float:
    """As :func:`forward_flops`, forward and backward."""
    return (1 + _BACKWARD) * forward_flops(config)


def package_training_flops(config: EncoderConfig, masking: MaskingConfig) -> float:
    """As :func:`training_flops`, of what the package does with a full window.

    Keys are the visible steps, the last block makes the scored steps alone, and the gradient of
    the input embedding takes no product of this size. (Astromer 2's skip connections, which the
    plain computation has not, are left out here, too.)
    """
    steps, width = config.window_size, config.d_model
    keys, scored = keys_and_scored(config, masking)
    total = 0
    for block in range(config.num_layers):
        asked = scored if block == config.num_layers - 1 else steps
        reading = 2 * (asked + 2 * keys) * width**2  # queries; keys and values
        rest = 2 * 2 * asked * keys * width + 2 * asked * width**2
        rest += 2 * 2 * asked * width * _ffn(config)
        total += reading * (_BACKWARD if block == 0 else 1 + _BACKWARD) + rest * (1 + _BACKWARD)
    return float(total)


def keys_and_scored(config: EncoderConfig, masking: MaskingConfig) -> tuple[int, int]:
    """Steps of a full window that the package attends to, and that its last block makes."""
    steps = config.window_size
    probed, same, random = (int(count[0]) for count in counts(np.array([steps]), masking))
    visible = max(steps - (probed - same - random), 1)
    return visible, max(probed, 1)


def _ffn(config: EncoderConfig) -> int:
    return config.ffn_dim or _FFN[config.architecture]
