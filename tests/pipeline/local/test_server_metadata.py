"""What database servers need: no long parameters in, and rows by their ids out."""

from __future__ import annotations

from typing import Any
from unittest import mock

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2
from tfx.orchestration import metadata

from pipeline.local.server_metadata import ServerMetadata

LONG = "ä" * 5000


def test_parameters_of_executions_are_shortened_and_told_apart():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    handle: metadata.Metadata = ServerMetadata(config)
    with handle:
        store = handle.store
        kind = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Run"))
        ids = []
        for text in (LONG, LONG + "b", "short"):
            execution = metadata_store_pb2.Execution(type_id=kind)
            execution.custom_properties["settings"].string_value = text
            ids += store.put_executions([execution])
            ids += [store.put_execution(execution, [], [])[0]]
        kept = [
            each.custom_properties["settings"].string_value
            for each in store.get_executions_by_id(ids)
        ]
    assert all(len(text.encode()) <= 2000 for text in kept)
    assert kept[0] == kept[1] != kept[2] == kept[3]
    assert kept[0].startswith("ää")
    assert kept[4] == kept[5] == "short"


def test_rows_come_by_their_ids_unless_another_order_is_asked_for():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    with ServerMetadata(config) as handle:
        store = handle.store
        kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Thing"))
        ids = store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind) for _ in range(3)])
        options = metadata_store.ListOptions(order_by=metadata_store.OrderByField.ID, is_asc=False)
        backwards = store.get_artifacts(list_options=options)
    assert [each.id for each in backwards] == ids[::-1]

    response = metadata_store_service_pb2.GetArtifactsByIDResponse(
        artifacts=[metadata_store_pb2.Artifact(id=number) for number in (3, 1, 2)]
    )
    handle = ServerMetadata(config)
    with mock.patch.object(metadata_store.MetadataStore, "_call", _answer(response)), handle:
        assert [each.id for each in handle.store.get_artifacts_by_id([1, 2, 3])] == [1, 2, 3]


def test_types_come_as_they_were_asked_for():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    with ServerMetadata(config) as handle:
        first, second = (
            handle.store.put_artifact_type(metadata_store_pb2.ArtifactType(name=name))
            for name in ("First", "Second")
        )
        types = handle.store.get_artifact_types_by_id([second, first, second])
    assert [each.name for each in types] == ["Second", "First", "Second"]


def _answer(prepared: Any) -> Any:
    def call(self: Any, method: str, request: Any, response: Any, *rest: Any) -> None:
        response.CopyFrom(prepared)

    return call
