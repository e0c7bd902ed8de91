"""What led to a model, from a metadata store. Knows no orchestrator."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tfx.types import Artifact

from astromer.reports.lineage import Lineage, LineageBuilder, Node

_MADE = ("OUTPUT", "INTERNAL_OUTPUT", "DECLARED_OUTPUT")
_READ = ("INPUT", "INTERNAL_INPUT", "DECLARED_INPUT")
_MODEL = "Model"
_CURVES = "num_curves_"


def trace(store: Any, inputs: Mapping[str, Artifact]) -> Lineage:
    """Artifacts and executions from which some artifacts were made.

    The lineage of other models, with which this one was compared, is left out.

    Args:
        store: a MetadataStore.
        inputs: the artifacts; that of the key ``model`` is the one that matters.
    """
    main = inputs["model"].id
    graph = LineageBuilder()
    waiting = [artifact.id for artifact in inputs.values() if artifact.id]
    seen: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        [artifact] = store.get_artifacts_by_id([number])
        [kind] = store.get_artifact_types_by_id([artifact.type_id])
        name = kind.name.rpartition(".")[2]
        graph.add(_artifact(artifact, name, number == main))
        if name == _MODEL and number != main:
            continue
        maker = _maker(store, number)
        if maker is None:
            continue
        read = [
            event.artifact_id
            for event in store.get_events_by_execution_ids([maker.id])
            if _kind(event) in _READ
        ]
        [kind] = store.get_execution_types_by_id([maker.type_id])
        graph.add(_execution(maker, kind.name), *(f"artifact {source}" for source in read))
        graph.add(_artifact(artifact, name, number == main), f"execution {maker.id}")
        waiting += read
    return graph.build("the metadata store")


def _maker(store: Any, artifact: int) -> Any:
    """The execution that made an artifact; not those that took it from the cache."""
    ids = [
        event.execution_id
        for event in store.get_events_by_artifact_ids([artifact])
        if _kind(event) in _MADE
    ]
    executions = store.get_executions_by_id(ids) if ids else []
    made = [one for one in executions if _state(one) == "COMPLETE"]
    return min(made, key=lambda one: one.id, default=None)


def _kind(event: Any) -> str:
    return event.Type.Name(event.type)


def _state(execution: Any) -> str:
    return execution.State.Name(execution.last_known_state)


def _artifact(artifact: Any, name: str, main: bool) -> Node:
    details = [f"artifact {artifact.id}"]
    properties = artifact.custom_properties
    curves = [value.int_value for key, value in properties.items() if key.startswith(_CURVES)]
    if curves:
        details.append(f"{sum(curves):,} light curves")
    for key, title in (("fingerprint", "run"), ("pushed_version", "version")):
        if value := properties[key].string_value if key in properties else "":
            details.append(f"{title} {value}")
    return Node(f"artifact {artifact.id}", name, tuple(details), main=main)


def _execution(execution: Any, kind: str) -> Node:
    begun = execution.create_time_since_epoch / 1000
    seconds = execution.last_update_time_since_epoch / 1000 - begun
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(begun))
    details = (f"execution {execution.id}", f"{when}, {seconds:.1f} s")
    return Node(f"execution {execution.id}", kind.rpartition(".")[2], details, made=True)
