from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.dropout import CounterDropout


def dropped(
    rows: int = 8,
    *,
    rate: float = 0.3,
    salt: int = 0,
    seed: int = 1,
    step: int = 0,
    first: int = 0,
    shape: tuple[int, ...] = (5, 7),
) -> np.ndarray:
    layer = CounterDropout(rate, salt)
    key = tf.constant([seed, step, first], tf.int64)
    return layer(tf.ones((rows, *shape)), training=True, dropout_key=key).numpy()


def test_kept_values_are_scaled_and_the_rate_is_met() -> None:
    values = dropped(4000, rate=0.3)
    # The rate is rounded to 16 bits, and what is kept is scaled accordingly.
    rate = round(0.3 * 2**16) / 2**16
    assert np.unique(values) == pytest.approx([0, 1 / (1 - rate)])
    # Six sigma of a binomial of 140,000.
    assert (values == 0).mean() == pytest.approx(0.3, abs=6 * (0.3 * 0.7 / values.size) ** 0.5)
    per_place = (values == 0).mean(axis=0)
    assert np.abs(per_place - 0.3).max() < 6 * (0.3 * 0.7 / 4000) ** 0.5


@pytest.mark.parametrize("shape", [(5, 7), (4, 8), (1, 1), (3,)])
def test_a_row_s_draw_does_not_depend_on_the_batch_or_replica(shape: tuple[int, ...]) -> None:
    whole = dropped(8, shape=shape)
    parts = [dropped(3, shape=shape), dropped(5, first=3, shape=shape)]
    assert (whole == np.concatenate(parts)).all()


def test_every_part_of_the_key_matters() -> None:
    draws = [
        dropped(),
        dropped(salt=1),
        dropped(seed=2),
        dropped(step=1),
        dropped(first=1),
        dropped(step=1, salt=1),
    ]
    for i, one in enumerate(draws):
        for other in draws[i + 1 :]:
            agreement = (one == other).mean()
            # Independent draws agree at .3^2 + .7^2 = .58 of 280 places.
            assert 0.4 < agreement < 0.76


def test_rows_differ_and_the_same_key_repeats() -> None:
    values = dropped(50)
    assert len(np.unique(values.reshape(50, -1), axis=0)) == 50
    assert (values == dropped(50)).all()


def test_eager_and_compiled_draw_alike() -> None:
    layer = CounterDropout(0.4, 3)

    @tf.function
    def compiled(x: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        return layer(x, training=True, dropout_key=key)

    x, key = tf.ones((6, 5, 7)), tf.constant([4, 5, 6], tf.int64)
    assert (compiled(x, key).numpy() == layer(x, training=True, dropout_key=key).numpy()).all()


def test_nothing_is_dropped_in_inference_or_at_rate_zero() -> None:
    x = tf.random.stateless_normal((4, 5), [1, 2])
    key = tf.constant([1, 2, 3], tf.int64)
    assert (CounterDropout(0.5)(x, training=False, dropout_key=key).numpy() == x.numpy()).all()
    assert (CounterDropout(0.0)(x, training=True, dropout_key=key).numpy() == x.numpy()).all()


def test_without_a_key_it_is_ordinary_dropout() -> None:
    tf.random.set_seed(1)
    layer = CounterDropout(0.5)
    one, other = (layer(tf.ones((50, 50)), training=True).numpy() for _ in range(2))
    assert (one != other).any()
    assert (one == 0).mean() == pytest.approx(0.5, abs=0.06)


def test_large_steps_and_rows_are_drawn_too() -> None:
    values = dropped(40, step=10**9, first=10**9)
    assert 0 < (values == 0).mean() < 1


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0, float("nan")])
def test_rates_out_of_range_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)\. Received: rate="):
        CounterDropout(rate)


def test_config_rebuilds_the_layer() -> None:
    layer = CounterDropout.from_config(CounterDropout(0.25, 7).get_config())
    assert (layer.rate, layer.salt) == (0.25, 7)


def test_eight_bits_meet_a_rate_between_their_levels() -> None:
    # 0.3 = 76.8 / 256: some vectors drop at 76 / 256, others at 77 / 256.
    layer = CounterDropout(0.3)
    key = tf.constant([1, 0, 9], tf.int64)
    level = round(0.3 * 2**16)
    thresholds = layer._thresholds(tf.constant([64, 16, 5]), key).numpy()
    assert thresholds.shape == (64, 16, 1)
    assert np.unique(thresholds).tolist() == [76, 77]
    assert thresholds.mean() == pytest.approx(256 * level / 2**16, abs=0.02)
    one_row = layer._thresholds(tf.constant([1, 256, 5]), key).numpy()
    assert one_row.mean() == level / 256


def test_almost_everything_can_be_dropped() -> None:
    values = dropped(400, rate=1 - 1e-9)
    assert np.isfinite(values).all()
    assert 0.98 < (values == 0).mean() < 1
