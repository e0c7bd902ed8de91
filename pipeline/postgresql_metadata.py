"""TFX's handle on ML Metadata, for PostgreSQL, whose indexes take no long values."""

from __future__ import annotations

import hashlib
from typing import Any

from tfx.orchestration import metadata

_LONGEST = 2000
"""Bytes of a value. PostgreSQL refuses 2,704 in an index, and ML Metadata indexes all values."""


class PostgreSQLMetadata(metadata.Metadata):
    """Writes long parameters of executions down by their beginning and their SHA-256.

    Executors get theirs from the pipeline, and the cache compares a digest of them: nobody reads
    them from the database but people.
    """

    def __enter__(self) -> PostgreSQLMetadata:
        super().__enter__()
        send = self._store._call

        def call(method: str, request: Any, response: Any, *rest: Any) -> Any:
            for execution in _executions(request):
                _shorten(execution)
            return send(method, request, response, *rest)

        self._store._call = call
        return self


def _executions(request: Any) -> list[Any]:
    fields = request.DESCRIPTOR.fields_by_name
    if "execution" in fields and fields["execution"].message_type.name == "Execution":
        return [request.execution]
    if "executions" in fields and fields["executions"].message_type.name == "Execution":
        return list(request.executions)
    return []


def _shorten(execution: Any) -> None:
    for properties in (execution.properties, execution.custom_properties):
        for value in properties.values():
            encoded = value.string_value.encode()
            if len(encoded) > _LONGEST:
                digest = hashlib.sha256(encoded).hexdigest()
                beginning = encoded[: _LONGEST - 100].decode(errors="ignore")
                value.string_value = f"{beginning} ... {len(encoded)} bytes, sha256 {digest}"
