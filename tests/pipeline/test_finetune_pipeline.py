from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from astromer.system.errors import ModelError
from pipeline.finetune_pipeline import weights_fingerprint
from pipeline.local.metadata_store import archived_copy


@pytest.fixture
def store() -> metadata_store.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    return metadata_store.MetadataStore(config)


def push(store: metadata_store.MetadataStore, version: Path, archive: Path) -> Path:
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="PushedModel"))
    artifact = metadata_store_pb2.Artifact(type_id=kind, uri=str(archive))
    artifact.custom_properties["pushed_destination"].string_value = str(version)
    store.put_artifacts([artifact])
    archive.mkdir(parents=True, exist_ok=True)
    (archive / "saved_model.pb").touch()
    return archive


def test_the_newest_artifact_of_a_version_is_found(store, tmp_path):
    assert archived_copy(store, tmp_path / "1") is None
    push(store, tmp_path / "1", tmp_path / "archive/4")
    push(store, tmp_path / "1", tmp_path / "archive/9")
    push(store, tmp_path / "2", tmp_path / "archive/12")
    assert archived_copy(store, tmp_path / "1") == str(tmp_path / "archive/9")
    assert archived_copy(store, tmp_path / "3") is None


def test_an_artifact_whose_folder_is_gone_is_told(store, tmp_path):
    archive = push(store, tmp_path / "1", tmp_path / "archive/4")
    (archive / "saved_model.pb").unlink()
    with pytest.raises(ModelError, match="archive/4 is gone"):
        archived_copy(store, tmp_path / "1")


def test_other_weights_have_another_fingerprint(tmp_path):
    (tmp_path / "assets.extra").mkdir()
    file = tmp_path / "assets.extra/weights.npz"
    file.write_bytes(b"one")
    first = weights_fingerprint(str(tmp_path))
    file.write_bytes(b"other")
    assert weights_fingerprint(str(tmp_path)) != first
    file.unlink()
    with pytest.raises(ModelError, match=r"weights\.npz cannot be read"):
        weights_fingerprint(str(tmp_path))
