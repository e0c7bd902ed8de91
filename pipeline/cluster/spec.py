"""A compiled pipeline: its steps, what feeds them and what they run. Knows no orchestrator."""

from __future__ import annotations

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
