"""A workplace with a pushed version that holds files like those of a model, and no model."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from astromer.serving.versions.promotion import push_version
from tools.faults.workplace import Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    model = tmp_path / "model"
    for name in ("saved_model.pb", "variables/variables.index", "assets.extra/config.json"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(name)
    made = Workplace(tmp_path / "place")
    made.output.mkdir(parents=True)
    push_version(model, made.serving)
    return made


@pytest.fixture
def store(place: Workplace) -> metadata_store.MetadataStore:
    """An empty metadata store in its place."""
    place.database.parent.mkdir()
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(place.database)
    config.sqlite.connection_mode = 3
    return metadata_store.MetadataStore(config)
