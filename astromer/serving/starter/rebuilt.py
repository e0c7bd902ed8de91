"""A model that is kept as weights and settings, with the signatures of its SavedModel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.serving.export import load_model
from astromer.serving.saved_model import read_config
from astromer.serving.signatures import ServingModule
from astromer.system.config import from_dict


class RebuiltModel:
    """What ``tf.saved_model.load`` would give, as far as an embedder needs it.

    Args:
        folder: with ``assets.extra``.

    Attributes:
        signatures: by name, each traced when it is first asked for.

    Raises:
        ModelError: config or weights are missing, damaged or do not fit each other.
    """

    def __init__(self, folder: Path) -> None:
        config = read_config(folder)
        rules = LightCurveRules(**config["rules"])
        limits = from_dict(ServingConfig, config["serving"])
        self._module = ServingModule(load_model(folder), rules, limits)
        self.signatures = _Traced(self._module.signatures)


class _Traced(Mapping[str, Any]):
    """Concrete functions of signatures."""

    def __init__(self, signatures: Mapping[str, tf.types.experimental.PolymorphicFunction]):
        self._signatures = signatures

    def __getitem__(self, name: str) -> Any:
        # TensorFlow keeps what it has traced.
        return self._signatures[name].get_concrete_function()

    def __iter__(self) -> Iterator[str]:
        return iter(self._signatures)

    def __len__(self) -> int:
        return len(self._signatures)
