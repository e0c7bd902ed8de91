"""The artifacts of a dry run, and the queries that a cluster's resolver nodes make of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.artifacts\['(\w+)'\]\.metadata\['(\w+)'\]\}\}")
_CLAUSE = re.compile(r'(?P<field>[\w.]+)\s*=\s*"?(?P<value>[^"]*)"?')


class ArtifactStore:
    """RuntimeArtifacts as JSON, oldest first, kept in a file.

    Args:
        file: made if missing.
    """

    def __init__(self, file: Path):
        self._file = file
        self._artifacts: list[dict[str, Any]] = []
        if file.exists():
            self._artifacts = json.loads(file.read_text(encoding="utf-8"))

    def add(self, artifacts: list[dict[str, Any]]) -> None:
        """Keeps what a step has made."""
        self._artifacts += artifacts
        self._file.write_text(json.dumps(self._artifacts, indent=1), encoding="utf-8")

    def newest(
        self, query: str, inputs: Mapping[str, list[dict[str, Any]]]
    ) -> list[dict[str, Any]]:
        """The newest artifact that a resolver's filter finds, if there is one.

        Args:
            query: clauses ``field=value`` joined by AND, with placeholders for inputs' metadata.
            inputs: the resolver's input artifacts; where one that is asked for is missing,
                nothing is found.
        """
        if any(not inputs.get(at[1]) for at in _PLACEHOLDER.finditer(query)):
            return []
        filled = _PLACEHOLDER.sub(lambda at: str(inputs[at[1]][0]["metadata"][at[2]]), query)
        clauses = [_CLAUSE.fullmatch(clause.strip()) for clause in filled.split(" AND ")]
        if not all(clauses):
            raise ValueError(f"a resolver's filter is not understood: {query}")
        wanted = {clause["field"]: clause["value"] for clause in clauses if clause}
        found = [one for one in self._artifacts if _matches(one, wanted)]
        return found[-1:]


def _matches(artifact: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(_value(artifact, field) == value for field, value in wanted.items())


def _value(artifact: Mapping[str, Any], field: str) -> str | None:
    if field == "schema_title":
        return yaml.safe_load(artifact["type"]["instanceSchema"])["title"]
    if field == "state":
        return "LIVE"
    if found := re.fullmatch(r"metadata\.(\w+)\.number_value", field):
        number = artifact.get("metadata", {}).get(found[1])
        return f"{number:g}" if isinstance(number, (int, float)) else None
    return artifact.get(field)
