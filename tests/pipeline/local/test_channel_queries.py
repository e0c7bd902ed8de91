from __future__ import annotations

from itertools import combinations
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2 as pb
from tfx.orchestration.portable.input_resolution import channel_resolver

from pipeline.local.channel_queries import executions_in_all, quick_channel_queries
from pipeline.local.metadata_connection import open_store
from pipeline.local.metadata_database import metadata_database


def test_the_same_executions_are_found_as_tfx_finds(tmp_path: Path) -> None:
    store = open_store(metadata_database(f"sqlite:///{tmp_path}/metadata.db", tmp_path, {}))
    kind = store.put_execution_type(pb.ExecutionType(name="Work"))
    of_node = store.put_context_type(pb.ContextType(name="node"))
    places = store.put_contexts([pb.Context(type_id=of_node, name=f"c{n}") for n in range(4)])
    made = store.put_executions([pb.Execution(type_id=kind) for _ in range(12)])
    store.put_attributions_and_associations(
        [],
        [
            pb.Association(execution_id=number, context_id=place)
            for number in made
            for index, place in enumerate(places[:3])
            if number % (index + 1) == 0
        ],
    )
    contexts = store.get_contexts_by_id(places)
    expected = channel_resolver._get_executions_by_all_contexts
    sizes = set()
    for count in range(4):
        for chosen in combinations(contexts, count):
            found = executions_in_all(store, chosen)
            assert found == sorted(expected(store, chosen), key=lambda each: each.id)
            sizes.add(len(found))
    assert sizes == {0, 2, 4, 6, 12}
    with quick_channel_queries():
        assert channel_resolver._get_executions_by_all_contexts is executions_in_all
    assert channel_resolver._get_executions_by_all_contexts is expected
