"""Which model it is: what embeddings, tables and trials made with it say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from astromer.serving.checksums import digest
from astromer.serving.saved_model import EXTRA, WEIGHTS
from astromer.serving.starter.package import is_starter, read_starter


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
