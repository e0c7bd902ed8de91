"""Which model a folder holds: the package's own encoder, the starter, or another one.

``model/`` holds the starter as weights and settings, without a SavedModel, which would be several
times as large; the graph is made anew when it is loaded. `make starter` trains it and writes the
folder. Loads no TensorFlow.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astromer import __version__
from astromer.serving.checksums import CHECKSUMS_FILE, digest, verify
from astromer.serving.saved_model import EXTRA, WEIGHTS
from astromer.system.errors import DamagedVersionError, ModelError
from astromer.system.storage import MODEL_FILE
from astromer.system.untrusted_files import read_json

FOLDER = Path(__file__).with_name("model")
"""Where the package holds it."""

FACTS, RESULTS, GOLDENS = "starter.json", "results.json", "goldens.npz"
"""Its files beside those of a pushed version: which it is, how good it is on surveys that it has
not seen, and light curves with their embeddings."""


@dataclass(frozen=True)
class Starter:
    """A model that is kept as weights and settings.

    Attributes:
        path: its folder.
        name, release: what it is called, and its version.
        sha256: of the file of its weights, as hexadecimal digits.
        facts: all that ``starter.json`` says.
    """

    path: Path
    name: str
    release: str
    sha256: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name} {self.release} (sha256 {self.sha256[:12]})"


def starter_folder() -> Path:
    """The folder of this package's starter.

    Raises:
        ModelError: the package has none.
    """
    if not is_starter(FOLDER):
        raise ModelError(
            "A model must be named where the package holds no starter. Received: none, with "
            f"astromer-pipeline {__version__}, which has none in {FOLDER}. Train it with `make "
            "starter`, or name a pushed model (--model; in Python its folder)."
        )
    return FOLDER


def is_starter(folder: Path) -> bool:
    """Whether a folder holds weights and settings instead of a SavedModel."""
    return (folder / FACTS).is_file() and not (folder / MODEL_FILE).is_file()


def read_starter(folder: Path) -> Starter:
    """What a starter says of itself, once its files have been compared with their checksums.

    Raises:
        DamagedVersionError: a file has changed or is missing.
    """
    differences = verify(folder)
    if differences is None:
        raise _damaged(folder, f"missing: {CHECKSUMS_FILE}")
    if differences.is_damage:
        raise _damaged(folder, str(differences))
    try:
        facts = read_json(folder / FACTS)
        starter = Starter(
            folder, str(facts["name"]), str(facts["release"]), str(facts["sha256"]), facts
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _damaged(folder, f"{FACTS} cannot be read ({error.__class__.__name__})") from error
    if digest(folder / EXTRA / WEIGHTS) != starter.sha256:
        raise _damaged(folder, f"{FACTS} names other weights")
    return starter


def _damaged(folder: Path, what: str) -> DamagedVersionError:
    return DamagedVersionError(
        f"The starter's files must be those of its release. Received: {folder}; {what}. Install "
        "the package again, or name another model (--model; in Python its folder)."
    )


@dataclass(frozen=True)
class ModelIdentity:
    """A model.

    Attributes:
        name: ``starter``, or the name of the folder of versions.
        version: the starter's release, or the name of the version's folder.
        sha256: of the file of its weights; "" if it has none.
    """

    name: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.title}, weights {self.sha256[:12] or 'unknown'}"

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    def to_dict(self) -> dict[str, str]:
        """As plain JSON types."""
        return asdict(self)


def identity_of(version: Path) -> ModelIdentity:
    """That of the model in a folder.

    Raises:
        DamagedVersionError: it is a starter whose files have changed.
    """
    if is_starter(version):
        starter = read_starter(version)
        return ModelIdentity(starter.name, starter.release, starter.sha256)
    weights = version / EXTRA / WEIGHTS
    whole = version.absolute()
    return ModelIdentity(
        whole.parent.name, whole.name, digest(weights) if weights.is_file() else ""
    )
