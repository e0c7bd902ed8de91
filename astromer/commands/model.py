"""The model that a program works with: the one that --model names, or the package's own."""

from __future__ import annotations

from pathlib import Path

from astromer import __version__
from astromer.serving.config import STARTER
from astromer.serving.starter import package
from astromer.serving.versions.folder import latest_version
from astromer.system.storage import as_path
from astromer.system.terminal import say


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
