"""A compiled pipeline: its steps, what feeds them and what they run. Knows no orchestrator."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from astromer.system.errors import UsageError
from astromer.system.text import brief


class PipelineSpec:
    """A pipeline spec of schema 2.1, as the runners of clusters write it.

    Attributes:
        name: of the pipeline.
        defaults: the parameters' default values.
        steps: names, each after those that it depends on.
    """

    def __init__(self, content: Mapping[str, Any]):
        """Takes the spec as plain JSON types.

        Raises:
            UsageError: it is no such spec.
        """
        try:
            self._tasks = content["root"]["dag"]["tasks"]
            self._components = content["components"]
            self._executors = content["deploymentSpec"]["executors"]
            self.name: str = content["pipelineInfo"]["name"]
            given = content["root"]["inputDefinitions"]["parameters"]
            self.defaults = {name: one.get("defaultValue") for name, one in given.items()}
            upstream = {name: self._upstream(task) for name, task in self._tasks.items()}
            self.steps = tuple(TopologicalSorter(upstream).static_order())
        except (KeyError, TypeError, AttributeError, CycleError) as error:
            raise UsageError(
                f"the file is no compiled pipeline ({type(error).__name__}: {brief(error)}). Make "
                "one with python pipeline/vertex_runner.py or kubeflow_runner.py."
            ) from error

    @classmethod
    def read(cls, file: str | Path) -> PipelineSpec:
        """Reads a YAML file.

        Raises:
            UsageError: it cannot be read, or is no pipeline spec.
        """
        try:
            content = yaml.safe_load(Path(file).expanduser().read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            known = error.strerror if isinstance(error, OSError) else None
            what = known or brief(error)
            raise UsageError(
                f"--spec must be a compiled pipeline. Received: {file}, which cannot be read: "
                f"{what}. Compile it with python pipeline/vertex_runner.py or kubeflow_runner.py."
            ) from error
        return cls(content)

    def component(self, step: str) -> dict[str, Any]:
        """The step's ComponentSpec."""
        return self._components[self._tasks[step]["componentRef"]["name"]]

    def executor(self, step: str) -> dict[str, Any]:
        """What the step runs: ``container`` or ``resolver``."""
        return self._executors[self.component(step)["executorLabel"]]

    def parameters(self, step: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The step's parameters, where the pipeline's have the given values."""
        given = self._tasks[step].get("inputs", {}).get("parameters", {})
        return {
            name: values[one["componentInputParameter"]]
            if "componentInputParameter" in one
            else one["runtimeValue"]["constant"]
            for name, one in given.items()
        }

    def inputs(self, step: str) -> dict[str, tuple[str, str]]:
        """For each input artifact, the step that makes it and the key of its output."""
        given = self._tasks[step].get("inputs", {}).get("artifacts", {})
        sources = {name: one["taskOutputArtifact"] for name, one in given.items()}
        return {
            name: (one["producerTask"], one["outputArtifactKey"]) for name, one in sources.items()
        }

    def outputs(self, step: str) -> dict[str, Any]:
        """For each output artifact, its type."""
        given = self.component(step).get("outputDefinitions", {}).get("artifacts", {})
        return {name: one["artifactType"] for name, one in given.items()}

    @staticmethod
    def _upstream(task: Mapping[str, Any]) -> set[str]:
        given = task.get("inputs", {}).get("artifacts", {}).values()
        makers = {one["taskOutputArtifact"]["producerTask"] for one in given}
        return makers | set(task.get("dependentTasks", ()))


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
