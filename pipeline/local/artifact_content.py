"""Whether the files of an artifact are still those that its component made.

The cache hands out what it finds. A file that a bad disk or a careless hand has changed since
would go on into models and reports.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.types import Artifact

from astromer.serving.checksums import digest
from astromer.system.storage import RemotePath, as_path, files_in, remove_tree

CONTENT = "content_sha256"
"""Custom property of an artifact: the SHA-256 of its files and their names."""


def remember(store: mlmd.MetadataStore, artifacts: Iterable[Artifact]) -> None:
    """Writes down what the artifacts hold, before anything is made from them.

    Those in a store are left alone: it looks after its files itself, and to read them costs more.
    """
    changed = []
    for artifact in artifacts:
        place = as_path(artifact.uri)
        if not isinstance(place, RemotePath) and place.exists():
            artifact.set_string_custom_property(CONTENT, content_of(place))
            changed.append(artifact.mlmd_artifact)
    if changed:
        store.put_artifacts(changed)


def altered(artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Those whose files are not as they were; what nothing is known of counts as whole."""
    return [artifact for artifact in artifacts if _is_altered(artifact)]


def withdraw(store: mlmd.MetadataStore, artifacts: Iterable[Artifact]) -> None:
    """Takes artifacts out of the cache, and removes their files."""
    gone = list(artifacts)
    for artifact in gone:
        artifact.mlmd_artifact.state = metadata_store_pb2.Artifact.DELETED
    store.put_artifacts([artifact.mlmd_artifact for artifact in gone])
    for artifact in gone:
        place = as_path(artifact.uri)
        if place.is_file():
            place = place.parent  # a value lies in a folder of its own
        remove_tree(place)


def content_of(place: Path) -> str:
    """SHA-256 of a file, or of the names and content of all files in a folder."""
    if place.is_file():
        return digest(place)
    found = hashlib.sha256()
    for file in files_in(place):
        found.update(f"{digest(place / file)}  {file.as_posix()}\n".encode())
    return found.hexdigest()


def _is_altered(artifact: Artifact) -> bool:
    expected = artifact.get_string_custom_property(CONTENT)
    if not expected:
        return False
    try:
        return content_of(as_path(artifact.uri)) != expected
    except OSError:
        return True  # a file that cannot be read is made again elsewhere
