"""TFX's handle on ML Metadata, for database servers: no long values in, rows in order out."""

from __future__ import annotations

import hashlib
from typing import Any

from tfx.orchestration import metadata

_LONGEST = 2000
"""Bytes of a value. PostgreSQL refuses 2,704 in an index, and ML Metadata indexes all values."""


class ServerMetadata(metadata.Metadata):
    """Makes database servers do what TFX takes for granted of a file.

    Long parameters of executions are written down by their beginning and their SHA-256. Executors
    get theirs from the pipeline, and the cache compares a digest of them: nobody reads them from
    the database but people.

    Rows come back by their ids, and types as they were asked for. TFX's cache pairs events,
    artifacts and types by their places. PostgreSQL gives the rows that were updated last, and no
    server gives types in the order of the question: one output would be taken for another.
    """

    def __enter__(self) -> ServerMetadata:
        super().__enter__()
        send = self._store._call

        def call(method: str, request: Any, response: Any, *rest: Any) -> Any:
            for execution in _executions(request):
                _shorten(execution)
            answer = send(method, request, response, *rest)
            if not _is_ordered(request):
                _sort(request, response)
            return answer

        self._store._call = call
        return self


def _executions(request: Any) -> list[Any]:
    fields = request.DESCRIPTOR.fields_by_name
    if "execution" in fields and fields["execution"].message_type.name == "Execution":
        return [request.execution]
    if "executions" in fields and fields["executions"].message_type.name == "Execution":
        return list(request.executions)
    return []


def _is_ordered(request: Any) -> bool:
    """Whether whoever asks has said in which order."""
    return "options" in request.DESCRIPTOR.fields_by_name and request.HasField("options")


def _sort(request: Any, response: Any) -> None:
    fields = response.DESCRIPTOR.fields_by_name
    for name in ("artifacts", "executions", "contexts"):
        if name in fields:
            getattr(response, name).sort(key=lambda row: row.id)
    if "events" in fields:
        response.events.sort(key=lambda event: (event.execution_id, event.artifact_id))
    if "type_ids" in request.DESCRIPTOR.fields_by_name and "artifact_types" in fields:
        types = {each.id: each for each in response.artifact_types}
        asked_for = [types[number] for number in request.type_ids if number in types]
        del response.artifact_types[:]
        response.artifact_types.extend(asked_for)


def _shorten(execution: Any) -> None:
    for properties in (execution.properties, execution.custom_properties):
        for value in properties.values():
            encoded = value.string_value.encode()
            if len(encoded) > _LONGEST:
                digest = hashlib.sha256(encoded).hexdigest()
                beginning = encoded[: _LONGEST - 100].decode(errors="ignore")
                value.string_value = f"{beginning} ... {len(encoded)} bytes, sha256 {digest}"
