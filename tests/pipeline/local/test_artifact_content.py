"""The cache gives nothing of which a file has changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.portable import cache_utils
from tfx.types import Artifact, standard_artifacts

from pipeline.local.artifact_content import (
    CONTENT,
    altered,
    content_of,
    remember,
    withdraw,
)
from pipeline.tfx_patches import patched_tfx


@pytest.fixture
def metadata() -> metadata_store.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    return metadata_store.MetadataStore(config)


@pytest.fixture
def artifact(metadata: metadata_store.MetadataStore, tmp_path: Path) -> Artifact:
    made = standard_artifacts.Examples()
    made.uri = str(tmp_path / "examples" / "1")
    (tmp_path / "examples/1/Split-train").mkdir(parents=True)
    (tmp_path / "examples/1/Split-train/data.gz").write_bytes(b"records")
    made.type_id = metadata.put_artifact_type(made.artifact_type)
    made.mlmd_artifact.state = metadata_store_pb2.Artifact.LIVE
    [made.id] = metadata.put_artifacts([made.mlmd_artifact])
    return made


def change(artifact: Artifact, how: str) -> None:
    file = Path(artifact.uri) / "Split-train/data.gz"
    if how == "flipped":
        file.write_bytes(b"recordr")
    elif how == "missing":
        file.unlink()
    elif how == "renamed":
        file.rename(file.with_name("other.gz"))
    else:
        file.with_name("more.gz").write_bytes(b"")


@pytest.mark.parametrize("how", ["flipped", "missing", "renamed", "added"])
def test_a_change_is_seen(metadata, artifact, how: str) -> None:
    remember(metadata, [artifact])
    assert altered([artifact]) == []
    change(artifact, how)
    assert altered([artifact]) == [artifact]


def test_what_nothing_is_known_of_counts_as_whole(artifact) -> None:
    change(artifact, "flipped")
    assert altered([artifact]) == []


def test_a_store_looks_after_its_own(metadata, artifact, store) -> None:
    (store / "examples").mkdir(parents=True)
    artifact.uri = str(store / "examples")
    remember(metadata, [artifact])
    assert not artifact.has_custom_property(CONTENT)


def test_a_value_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("1")
    assert content_of(tmp_path / "value") != content_of(tmp_path)


def test_a_withdrawn_artifact_is_not_live_and_has_no_files(metadata, artifact) -> None:
    withdraw(metadata, [artifact])
    [found] = metadata.get_artifacts()
    assert found.state == metadata_store_pb2.Artifact.DELETED
    assert not Path(artifact.uri).exists()


def test_the_cache_passes_over_what_has_changed(metadata, artifact, monkeypatch) -> None:
    answers = [{"examples": [artifact]}, None]
    monkeypatch.setattr(cache_utils, "get_cached_outputs", lambda handle, context: answers.pop(0))
    remember(metadata, [artifact])
    change(artifact, "flipped")
    handle = type("Handle", (), {"store": metadata})
    told: list[str] = []
    with patched_tfx(told.append, server=False):
        assert cache_utils.get_cached_outputs(handle, None) is None
    assert told == [artifact.uri]


def test_the_cache_gives_what_is_whole(metadata, artifact, monkeypatch) -> None:
    monkeypatch.setattr(
        cache_utils, "get_cached_outputs", lambda handle, context: {"examples": [artifact]}
    )
    remember(metadata, [artifact])
    with patched_tfx(lambda place: pytest.fail(place), server=False):
        assert cache_utils.get_cached_outputs(None, None) == {"examples": [artifact]}
