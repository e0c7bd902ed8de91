"""The weights that a pre-training begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from astromer.encoder.config import EncoderConfig
from astromer.encoder.reconstructor import Reconstructor
from astromer.serving.config import STARTER
from astromer.serving.export import load_model
from astromer.serving.starter.package import ModelIdentity, identity_of, starter_folder
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import as_path
from astromer.training.config import TrainingConfig


@dataclass(frozen=True)
class Start:
    """The model of ``--init``.

    Attributes:
        identity: which model it is; None for fresh weights.
        weights: in the order of the model's variables; none for fresh ones.
    """

    identity: ModelIdentity | None = None
    weights: tuple[np.ndarray, ...] = ()

    def facts(self) -> dict[str, dict[str, str]]:
        """For the metadata of the model that is trained."""
        return {"started_from": self.identity.to_dict()} if self.identity else {}


def starting_point(encoder: EncoderConfig, training: TrainingConfig) -> Start:
    """Reads the weights that ``--init`` names.

    Args:
        encoder: shape of the network, which must be that of the model.
        training: the knobs; ``init`` is a version's folder, or ``starter``.

    Raises:
        ModelError: there is no such model, or it has other weights than when the run was set up.
        DamagedVersionError: it is a starter whose files have changed.
        UsageError: its shape is another.
    """
    if not training.init:
        return Start()
    version = starter_folder() if training.init == STARTER else as_path(training.init)
    identity = identity_of(version)
    if training.init_sha256 and identity.sha256 != training.init_sha256:
        raise ModelError(
            "The weights of --init must be those that the run was set up with (--init-sha256). "
            f"Received: {identity} in {version}, instead of {training.init_sha256[:12]}. Name the "
            "model that has them, or set up the run again."
        )
    model = load_model(version)
    fresh = Reconstructor.from_settings(encoder, normalise=training.norm)
    mine, theirs = _shape(fresh), _shape(model)
    differing = [f"{name} {value}" for name, value in theirs.items() if mine[name] != value]
    if differing:
        raise UsageError(
            "Architecture and sizes must be those of --init. Received: other ones with --init "
            f"{training.init}, which has {', '.join(differing)}. Leave the options out."
        )
    return Start(identity, tuple(np.asarray(variable) for variable in model.variables))


def _shape(model: Reconstructor) -> dict[str, Any]:
    """What decides on the weights; dropout has none."""
    settings = model.encoder.settings | {
        "window_size": model.window_size,
        "normalise": model.normalise,
    }
    del settings["dropout"]
    return settings
