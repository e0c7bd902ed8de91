"""What TensorBoard's plugins show of a training: the embedding projector and hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.pooling import MEAN, CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.system.config import to_dict
from astromer.system.text import shortened

PROJECTOR_CONFIG = "projector_config.pbtxt"
"""The projector's file that names the others."""
HPARAMS_TAGS = "_hparams_/"
"""Prefix of the tags of hyperparameters, whose values are at step 0."""

_VECTORS, _METADATA = "embeddings.tsv", "embeddings_metadata.tsv"
_WITHOUT_EFFECT = {"checkpoint_seconds", "debug", "log_every", "windows_per_pass", "worker_seconds"}
_METRICS = {
    "epoch/hidden_rmse": "validation: hidden RMSE [mag]",
    "epoch/hidden_r2": "validation: hidden R2",
    "epoch/skill_over_interpolation": "validation: skill over interpolation",
}


def write_projector(folder: Path, model: Reconstructor, curves: LightCurves, most: int) -> None:
    """Embeds light curves and writes the projector's files; the config, which names them, last.

    Args:
        folder: of a run in TensorBoard: it must have event files, too.
        model: its encoder embeds.
        curves: evenly spaced ones are taken where there are more than ``most``.
        most: how many.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector import ProjectorConfig

    count = min(most, len(curves))
    taken = curves.take(np.linspace(0, len(curves) - 1, count).round().astype(np.int64))
    vectors = CurveEncoder(model, MEAN)(taken, desc="embedding for TensorBoard", progress=True)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(f"{value:.5g}" for value in vector) for vector in vectors[:, 0])
    (folder / _VECTORS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / _METADATA).write_text(_metadata_table(taken), encoding="utf-8")
    config = ProjectorConfig()
    config.embeddings.add(
        tensor_name="validation light curves", tensor_path=_VECTORS, metadata_path=_METADATA
    )
    (folder / PROJECTOR_CONFIG).write_text(text_format.MessageToString(config), encoding="utf-8")


def _metadata_table(curves: LightCurves) -> str:
    """A line for each light curve; a dash for what is missing."""
    lines = ["class\tid\tobservations\tmean magnitude"]
    for index in range(len(curves)):
        curve = curves[index]
        kind, name = (shortened(text) or "-" for text in (curve.class_name, curve.id))
        mean = float(np.mean(curve.mag, dtype=np.float64)) if len(curve) else float("nan")
        lines.append(f"{kind}\t{name}\t{len(curve)}\t{mean:.3f}")
    return "\n".join(lines) + "\n"


def write_hyperparameters(configs: Sequence[Any], name: str, validation: str) -> None:
    """Writes the values, and which metrics are shown with them, to the current writer.

    Args:
        configs: config dataclasses whose fields have different names.
        name: of the training.
        validation: folder of the validation metrics, relative to the writer's.
    """
    from tensorboard.plugins.hparams import api

    values = {knob: value for config in configs for knob, value in to_dict(config).items()}
    values = {knob: value for knob, value in values.items() if knob not in _WITHOUT_EFFECT}
    metrics = [
        api.Metric(tag, group=validation, display_name=title) for tag, title in _METRICS.items()
    ]
    api.hparams_config(hparams=[api.HParam(knob) for knob in values], metrics=metrics)
    api.hparams(values, trial_id=name)


def write_end() -> None:
    """Writes to the current writer that the training has ended."""
    from tensorboard.plugins.hparams import api_pb2, summary

    ended = summary.session_end_pb(api_pb2.STATUS_SUCCESS)
    tf.summary.experimental.write_raw_pb(ended.SerializeToString(), step=0)
