"""Registers the types of a pipeline so that runs which begin at once register each of them once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.portable.mlmd import context_lib
from tfx.proto.orchestration import pipeline_pb2

_SECONDS = 20.0  # a type takes milliseconds, so whoever was to register it has died
_MARK_TYPE = "mlmd.Dataset"  # every metadata database has it from the start


def register_types(store: metadata_store.MetadataStore, pipeline: pipeline_pb2.Pipeline) -> None:
    """Registers what is not there of the types of artifacts, executions and contexts.

    A type has no unique name for PostgreSQL: two runs that register it at once make two types,
    and artifacts of the second one are not found afterwards. The names of artifacts are unique.
    So one is made for each type, and who succeeds in that registers the type.
    """
    mark_type = store.get_artifact_type(_MARK_TYPE)
    for kind, wanted in _types(pipeline):
        look_up = getattr(store, f"get_{kind}_type")
        if _find(look_up, wanted.name) or (
            not _is_first(store, mark_type.id, f"type of {kind}: {wanted.name}")
            and _appears(look_up, wanted.name)
        ):
            continue
        put = getattr(store, f"put_{kind}_type")
        put(wanted, can_add_fields=True, can_omit_fields=True)


def _types(pipeline: pipeline_pb2.Pipeline) -> Iterator[tuple[str, Any]]:
    """Kind and type of everything that a run of the pipeline may register, each once."""
    found: dict[tuple[str, str], Any] = {}
    cache = metadata_store_pb2.ContextType(name=context_lib.CONTEXT_TYPE_EXECUTION_CACHE)
    found["context", cache.name] = cache
    for node in (each.pipeline_node for each in pipeline.nodes):
        types = [("execution", node.node_info.type)]
        types += [("context", context.type) for context in node.contexts.contexts]
        for inputs in node.inputs.inputs.values():
            types += [
                ("artifact", channel.artifact_query.type)
                for channel in inputs.channels
                if channel.HasField("artifact_query")
            ]
        types += [("artifact", o.artifact_spec.type) for o in node.outputs.outputs.values()]
        for kind, each in types:
            if each.name:
                found.setdefault((kind, each.name), each)
    for (kind, _), each in found.items():
        yield kind, each


def _is_first(store: metadata_store.MetadataStore, type_id: int, name: str) -> bool:
    mark = metadata_store_pb2.Artifact(type_id=type_id, name=name)
    try:
        store.put_artifacts([mark])
    except errors.AlreadyExistsError:
        return False
    return True


def _appears(look_up: Callable[[str], Any], name: str) -> bool:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if _find(look_up, name):
            return True
        time.sleep(0.05)
    return False


def _find(look_up: Callable[[str], Any], name: str) -> bool:
    try:
        look_up(name)
    except errors.NotFoundError:
        return False
    return True
