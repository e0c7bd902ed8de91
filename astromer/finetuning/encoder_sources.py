"""The sources of an encoder's weights before fine-tuning."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from astromer.encoder.encoder import Encoder
from astromer.encoder.public_weights import load_public
from astromer.encoder.reconstructor import Reconstructor
from astromer.serving.export import load_model
from astromer.serving.saved_model import read_config
from astromer.serving.starter.package import identity_of
from astromer.serving.versions.folder import latest_version

PRETRAINED, RANDOM, PUBLIC, FOREST = "pretrained", "random", "public", "forest"
_RANDOM_SEED = 1_000_003  # so that no head draws the same weights


class PretrainedSource:
    """A pushed encoder.

    Args:
        path: a SavedModel, or a folder of versions, of which ``latest`` names one.

    Raises:
        ModelError: there is none, or it is damaged.
    """

    name = PRETRAINED
    per_seed = False

    def __init__(self, path: str | Path) -> None:
        self.path = latest_version(path)
        self.config = read_config(self.path)
        self.fingerprint = encoder_fingerprint(self.make(0))

    def make(self, seed: int) -> Reconstructor:
        """The pushed model; the seed changes nothing."""
        return load_model(self.path)

    def lineage(self) -> dict[str, Any]:
        """Where the encoder comes from; JSON-able."""
        metadata = self.config.get("metadata", {})
        identity = identity_of(self.path)
        return {
            "path": str(self.path.resolve()),
            "name": identity.name,
            "version": identity.version,
            "fingerprint": self.fingerprint,
            "data_fingerprint": metadata.get("data_fingerprint", ""),
        }


class RandomSource:
    """An encoder of the same shape with fresh weights for each seed."""

    name = RANDOM
    per_seed = True

    def __init__(self, like: PretrainedSource) -> None:
        self.config = like.config
        shape = {key: self.config[key] for key in ("encoder", "window_size", "normalise")}
        self.fingerprint = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()

    def make(self, seed: int) -> Reconstructor:
        """The weights that this seed draws."""
        drawn = (seed * _RANDOM_SEED + 1) % 2**31
        encoder = Encoder(**self.config["encoder"], seed=drawn, name="encoder")
        size, normalise = self.config["window_size"], self.config["normalise"]
        return Reconstructor(encoder, size, normalise, seed=drawn, name="astromer")


class PublicSource:
    """Weights of the public AstroMer code, with the quirks that they were trained with.

    Raises:
        ModelError: the checkpoint is missing, damaged or of something else.
    """

    name = PUBLIC
    per_seed = False

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.fingerprint = encoder_fingerprint(self.make(0))

    def make(self, seed: int) -> Reconstructor:
        """The public weights; the seed changes nothing."""
        return load_public(self.path)[0]


EncoderSource = PretrainedSource | RandomSource | PublicSource


def encoder_fingerprint(model: Reconstructor) -> str:
    """sha256 of the encoder's weights and of how light curves are prepared for it."""
    text = json.dumps([model.encoder.settings, model.window_size, model.normalise])
    digest = hashlib.sha256(text.encode())
    for variable in model.encoder.variables:
        digest.update(np.ascontiguousarray(np.asarray(variable)).data)
    return digest.hexdigest()
