"""What must stay the same while a training run goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from astromer.encoder.config import EncoderConfig
from astromer.light_curves import LightCurves
from astromer.system.config import to_dict
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig

# Settings that change how long a run goes on or what it prints, not what a step does.
_FREE_TO_CHANGE = (
    "epochs",
    "patience",
    "log_every",
    "checkpoint_seconds",
    "worker_seconds",
    "debug",
    "replicas",
    "windows_per_pass",
)


def run_fingerprint(
    encoder: EncoderConfig,
    masking: MaskingConfig,
    training: TrainingConfig,
    train: LightCurves,
    validation: LightCurves,
    initial: Sequence[np.ndarray] = (),
) -> str:
    """Names a run by its settings, data and given weights: sha256, as hexadecimal digits."""
    kept = {k: v for k, v in to_dict(training).items() if k not in _FREE_TO_CHANGE}
    if training.decay != "constant":
        kept["epochs"] = training.epochs  # the schedule depends on them
    digest = hashlib.sha256()
    digest.update(json.dumps([to_dict(encoder), to_dict(masking), kept], sort_keys=True).encode())
    for curves in (train, validation):
        for array in (curves.mjd, curves.mag, curves.errmag, curves.offsets):
            digest.update(np.ascontiguousarray(array).data)
    for array in initial:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
