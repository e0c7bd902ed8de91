"""The model that a program works with: that of --model, of --init, or the package's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from astromer import __version__
from astromer.commands.config import PretrainingConfig
from astromer.encoder.config import EncoderConfig
from astromer.serving.config import STARTER
from astromer.serving.saved_model import CLASSIFIER, model_kind, read_config
from astromer.serving.starter import package
from astromer.serving.versions.folder import latest_version
from astromer.system.config import knobs_of
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import as_path
from astromer.system.terminal import say

PretrainingT = TypeVar("PretrainingT", bound=PretrainingConfig)

_FREE = ("dropout",)  # it has no weights


def chosen_model(given: str | Path) -> Path:
    """The folder of the version that ``--model`` means; says so if it is the package's.

    Args:
        given: a SavedModel, a folder of versions, or ``starter``, the encoder that comes with the
            package (a folder of that name is ``./starter``).

    Raises:
        ModelError: there is none.
        DamagedVersionError: it is a starter whose files have changed.
    """
    version = latest_version(STARTER if given == STARTER else as_path(given).expanduser())
    if package.is_starter(version):
        starter = package.read_starter(version)
        whose = (
            f"of astromer-pipeline {__version__}" if version == package.FOLDER else f"in {version}"
        )
        say(f"model: {starter}, {whose}, trained on synthetic stars; --model takes another")
    return version


def with_start(config: PretrainingT, given: Collection[str]) -> PretrainingT:
    """The config with the architecture and sizes of the model that ``--init`` names: it decides.

    Args:
        config: as the command line describes it; returned as it is without ``--init``.
        given: knobs that the user gave, from :func:`astromer.commands.cli.given_knobs`.

    Raises:
        ModelError: there is no such model, or it cannot be trained on.
        DamagedVersionError: it is a starter whose files have changed.
        UsageError: an option contradicts the model.
    """
    init = config.training.init
    if not init:
        return config
    version = latest_version(init if init == STARTER else as_path(init).expanduser().absolute())
    settings = read_config(version)
    encoder = _shape(version, settings)
    for knob, _ in knobs_of(EncoderConfig):
        mine, theirs = getattr(config.encoder, knob.name), getattr(encoder, knob.name)
        if knob.name in given and knob.name in _FREE:
            encoder = dataclasses.replace(encoder, **{knob.name: mine})
        elif knob.name in given and mine != theirs:
            raise _contradicts(f"{knob.metadata['flags'][0]} {mine}", init, str(theirs))
    normalise = bool(settings["normalise"])
    if "norm" in given and not normalise:
        raise _contradicts("--norm", init, "magnitudes that are not normalised")
    training = dataclasses.replace(
        config.training,
        init=init if init == STARTER else str(version),
        init_sha256=package.identity_of(version).sha256,
        norm=normalise,
    )
    return dataclasses.replace(config, encoder=encoder, training=training)


def _shape(version: Path, settings: dict[str, Any]) -> EncoderConfig:
    if model_kind(settings) == CLASSIFIER or settings["encoder"].get("quirks"):
        kind = "a classifier" if model_kind(settings) == CLASSIFIER else "of public weights"
        raise ModelError(
            f"--init must be an encoder that was pre-trained here. Received: {version}, which is "
            f"{kind}. Name a pushed encoder, or {STARTER}."
        )
    known = {knob.name for knob, _ in knobs_of(EncoderConfig)}
    shape = {name: value for name, value in settings["encoder"].items() if name in known}
    return EncoderConfig(**shape, window_size=settings["window_size"])


def _contradicts(option: str, init: str, theirs: str) -> UsageError:
    return UsageError(
        f"Architecture and sizes must be those of --init. Received: {option} with --init {init}, "
        f"which has {theirs}. Leave the option out."
    )
