"""The knobs of a training for TensorBoard's table of hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from astromer.system.config import to_dict

TAGS = "_hparams_/"
"""What the tags begin with; the values stand at step 0."""

_WITHOUT_EFFECT = (
    "checkpoint_seconds",
    "debug",
    "log_every",
    "windows_per_pass",
    "worker_seconds",
)
_METRICS = {
    "epoch/hidden_rmse": "validation: hidden RMSE [mag]",
    "epoch/hidden_r2": "validation: hidden R2",
    "epoch/skill_over_interpolation": "validation: skill over interpolation",
}


def write_hyperparameters(configs: Sequence[Any], name: str, validation: str) -> None:
    """Writes the values, and which metrics stand beside them, to the current writer.

    Args:
        configs: config dataclasses whose fields have different names.
        name: of the training.
        validation: folder of the validation metrics, seen from the writer's.
    """
    from tensorboard.plugins.hparams import api

    values = {
        knob: value
        for config in configs
        for knob, value in to_dict(config).items()
        if knob not in _WITHOUT_EFFECT
    }
    metrics = [
        api.Metric(tag, group=validation, display_name=title) for tag, title in _METRICS.items()
    ]
    api.hparams_config(hparams=[api.HParam(knob) for knob in values], metrics=metrics)
    api.hparams(values, trial_id=name)


def write_end() -> None:
    """Writes that the training has come to its end."""
    from tensorboard.plugins.hparams import api_pb2, summary

    ended = summary.session_end_pb(api_pb2.STATUS_SUCCESS)
    tf.summary.experimental.write_raw_pb(ended.SerializeToString(), step=0)
