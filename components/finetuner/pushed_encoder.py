"""Finds the artifact of a pushed encoder in the metadata of the run that pushed it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import ml_metadata as mlmd

from astromer.serving.export import EXTRA, WEIGHTS
from astromer.system.errors import ModelError
from astromer.system.storage import as_path


def archived_copy(store: mlmd.MetadataStore, model: Path) -> str | None:
    """URI of the newest PushedModel artifact that was pushed to a folder; None if there is none.

    The artifact's own folder holds the same model. Importing it by this URI gives the very
    artifact, so that its lineage goes on.

    Raises:
        ModelError: the artifact is known, but its folder is gone.
    """
    try:
        artifacts = store.get_artifacts_by_type("PushedModel")
    except mlmd.errors.NotFoundError:
        return None
    wanted = str(model.resolve())
    found = [
        artifact
        for artifact in sorted(artifacts, key=lambda artifact: artifact.id)
        if str(as_path(_destination(artifact)).resolve()) == wanted
    ]
    if not found:
        return None
    uri = found[-1].uri
    if not (as_path(uri) / "saved_model.pb").is_file():
        raise ModelError(
            f"The run that pushed {model} must still have its artifacts. {uri} is gone. Give the "
            "command that pushed it again, or copy the model elsewhere and name the copy."
        )
    return uri


def weights_fingerprint(model: str) -> str:
    """sha256 of a model's weights, as hexadecimal digits.

    Raises:
        ModelError: they cannot be read.
    """
    path = as_path(model) / EXTRA / WEIGHTS
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"A pushed model must hold its weights. {path} cannot be read: {error.strerror}. "
            "Export the model again."
        ) from error


def _destination(artifact: mlmd.proto.Artifact) -> str:
    return artifact.custom_properties["pushed_destination"].string_value or "/nowhere"
