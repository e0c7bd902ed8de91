"""Embeddings of validation light curves for TensorBoard's embedding projector."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from astromer.encoder.curve_encoder import CurveEncoder
from astromer.encoder.pooling import MEAN
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.system.text import shortened

CONFIG_FILE = "projector_config.pbtxt"
_VECTORS, _METADATA = "embeddings.tsv", "embeddings_metadata.tsv"


def write_projector(
    folder: Path, model: Reconstructor, curves: LightCurves, most: int, *, progress: bool = False
) -> None:
    """Embeds light curves and writes the projector's files; the config, which names them, last.

    Args:
        folder: of a run in TensorBoard: it must have event files, too.
        model: its encoder embeds.
        curves: evenly spaced ones are taken where there are more than ``most``.
        most: how many.
        progress: whether to show a bar.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector import ProjectorConfig

    count = min(most, len(curves))
    taken = curves.take(np.linspace(0, len(curves) - 1, count).round().astype(np.int64))
    vectors = CurveEncoder(model, MEAN)(taken, desc="embedding for TensorBoard", progress=progress)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(f"{value:.5g}" for value in vector) for vector in vectors[:, 0])
    (folder / _VECTORS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / _METADATA).write_text(_describe(taken), encoding="utf-8")
    config = ProjectorConfig()
    config.embeddings.add(
        tensor_name="validation light curves", tensor_path=_VECTORS, metadata_path=_METADATA
    )
    (folder / CONFIG_FILE).write_text(text_format.MessageToString(config), encoding="utf-8")


def _describe(curves: LightCurves) -> str:
    """A table with a line for each light curve; what is missing is a dash."""
    lines = ["class\tid\tobservations\tmean magnitude"]
    for index in range(len(curves)):
        curve = curves[index]
        kind, name = (shortened(text) or "-" for text in (curve.class_name, curve.id))
        mean = float(np.mean(curve.mag, dtype=np.float64)) if len(curve) else float("nan")
        lines.append(f"{kind}\t{name}\t{len(curve)}\t{mean:.3f}")
    return "\n".join(lines) + "\n"
