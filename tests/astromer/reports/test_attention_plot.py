from __future__ import annotations

import numpy as np
import pytest

from astromer.reports.encoder_plots import window_attention


def test_weights_are_the_encoder_s_own_for_what_it_reads(run, found) -> None:
    encoder, batch = run.model.encoder, found.batch
    window = int(np.argmax(found.sample.windows.length))
    steps = int(found.sample.windows.length[window])
    weights = window_attention(encoder, found, window)
    assert weights.shape == (encoder.num_layers, encoder.num_heads, steps, steps)
    assert weights.sum(axis=-1) == pytest.approx(1, abs=1e-5)
    hidden = batch.probing.hidden[window, :steps]
    assert hidden.any()
    assert (weights[..., hidden] == 0).all()
    inputs = (batch.times, batch.magnitudes, batch.probing.visible)
    together = encoder.attention(*inputs)  # other windows of the batch change nothing
    for layer, expected in zip(weights, together):
        assert layer == pytest.approx(expected.numpy()[window, :, :steps, :steps], abs=1e-5)
