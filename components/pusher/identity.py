"""Whether two SavedModels are the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from astromer.serving.export import EXTRA, WEIGHTS, read_config
from astromer.serving.versions.folder import newest, withdrawn
from astromer.system.environment import MACHINE
from astromer.system.errors import ModelError
from astromer.system.storage.trees import same_content
from astromer.training.report import COURSE

# Facts about how a model came about that differ although the model does not.
_CIRCUMSTANCES = ("summary", "git_revision", COURSE, MACHINE)


def pushed_as(model: Path, folder: Path) -> Path | None:
    """The version that is the same model: the newest in service, or one that was withdrawn."""
    for version in (newest(folder), *reversed(withdrawn(folder))):
        if version is not None and same_model(model, version):
            return version
    return None


def same_model(one: Path, other: Path) -> bool:
    """Whether two folders hold the same weights, made by the same settings, data and code.

    The graph files are not compared: TensorFlow numbers its functions anew in each process.
    """
    try:
        if _essence(one) != _essence(other):
            return False
        return same_content(one / EXTRA / WEIGHTS, other / EXTRA / WEIGHTS)
    except (ModelError, OSError):
        return False


def _essence(model: Path) -> dict[str, Any]:
    config = read_config(model)
    metadata = config.get("metadata", {})
    config["metadata"] = {k: v for k, v in metadata.items() if k not in _CIRCUMSTANCES}
    return config
