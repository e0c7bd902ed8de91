"""Long parameters are shortened on their way into the database, and nothing else is."""

from __future__ import annotations

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from pipeline.postgresql_metadata import PostgreSQLMetadata

LONG = "ä" * 5000


def test_parameters_of_executions_are_shortened_and_told_apart():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    handle: metadata.Metadata = PostgreSQLMetadata(config)
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
