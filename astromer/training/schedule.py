"""Learning-rate schedules."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.training.config import TrainingConfig


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to ``peak``, then constant or a half cosine down to zero.

    Args:
        peak: highest learning rate.
        warmup_steps: steps of the rise; 0 starts at the peak.
        total_steps: step at which the cosine reaches zero; 0 stays at the peak.
    """

    def __init__(self, peak: float, warmup_steps: int = 0, total_steps: int = 0) -> None:
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rate = tf.constant(self.peak, tf.float32)
        if self.total_steps:
            span = max(self.total_steps - self.warmup_steps, 1)
            done = tf.clip_by_value((step - self.warmup_steps) / span, 0.0, 1.0)
            rate = rate * 0.5 * (1 + tf.cos(3.141592653589793 * done))
        if self.warmup_steps:
            rate = tf.where(
                step < self.warmup_steps, self.peak * (step + 1) / self.warmup_steps, rate
            )
        return rate

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }


def make_schedule(training: TrainingConfig, steps_per_epoch: int) -> WarmUp:
    """The schedule that the knobs ask for."""
    total = training.epochs * steps_per_epoch if training.decay == "cosine" else 0
    return WarmUp(training.learning_rate, training.warmup_steps, total)
