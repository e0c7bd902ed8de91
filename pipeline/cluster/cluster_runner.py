"""Compiles the pipeline to a pipeline spec, for Vertex AI and Kubeflow Pipelines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)
from tfx.orchestration.pipeline import Pipeline

from astromer.system.errors import UsageError
from components.knobs import properties
from pipeline.cluster.cluster_options import ClusterRun, parameter_names
from pipeline.pipeline import EVALUATOR, PUSHED_MODEL, PUSHER, TRAINER, create_pipeline
from pipeline_config import ClusterConfig

COMMAND = ("python", "-m", "pipeline.task_runner")
"""What the containers run; TFX's own command shows a user's mistake as a traceback, and gives
the blessing a number for the model's name that no resolver finds."""


@dataclass(frozen=True)
class Dialect:
    """What distinguishes the kinds of clusters.

    Attributes:
        finds_artifacts: whether it has resolver nodes, and ExampleGen's driver.
        gpu_type, machine_type: where the configuration names none.
    """

    finds_artifacts: bool
    gpu_type: str
    machine_type: str


VERTEX = Dialect(True, "NVIDIA_TESLA_T4", "n1-standard-8")
KUBEFLOW = Dialect(False, "nvidia.com/gpu", "7:24")


@dataclass(frozen=True)
class Compiled:
    """A compiled pipeline.

    Attributes:
        spec: the pipeline spec, as plain JSON types.
        values: every parameter's value, as the command line gives it.
    """

    spec: dict[str, Any]
    values: dict[str, int | float | str]

    def write(self, file: Path) -> Path:
        """Writes the spec as YAML, and the values as JSON beside it; returns the latter's path."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(self.spec, sort_keys=True), encoding="utf-8")
        values = file.with_suffix(".parameters.json")
        values.write_text(json.dumps(self.values, indent=1) + "\n", encoding="utf-8")
        return values


def compile_pipeline(run: ClusterRun, dialect: Dialect) -> Compiled:
    """Compiles the pipeline; nothing is run, and neither data nor output are looked at."""
    values = _values(run)
    pipeline = create_pipeline(
        run.config,
        baseline_strategy=LatestBlessedModelStrategy if dialect.finds_artifacts else None,
        runtime={
            knob: RuntimeParameter(name, type(values[name]), values[name])
            for knob, name in {**parameter_names(), "data": "data"}.items()
        },
    )
    _set_resources(pipeline, run.cluster, dialect)
    settings = KubeflowV2DagRunnerConfig(
        default_image=run.cluster.image,
        default_commands=list(COMMAND),
        use_pipeline_spec_2_1=True,
    )
    job = KubeflowV2DagRunner(settings).run(pipeline, write_out=False)
    spec = job["pipelineSpec"]
    _set_defaults(spec, values)
    tasks = spec["root"]["dag"]["tasks"]
    # It pushes no model twice, and a cache does not know of versions that were deleted.
    tasks[PUSHER].pop("cachingOptions", None)
    if run.cluster.trainer_retries:
        tasks[TRAINER]["retryPolicy"] = {"maxRetryCount": run.cluster.trainer_retries}
    if not dialect.finds_artifacts:
        for component in pipeline.components:
            if isinstance(component, FileBasedExampleGen):
                # Without the driver nobody would see that the records have changed.
                _executor(spec, component.id)["container"].pop("lifecycle")
                tasks[component.id].pop("cachingOptions", None)
        tasks[PUSHED_MODEL].pop("cachingOptions", None)
    return Compiled(spec, values)


def _values(run: ClusterRun) -> dict[str, int | float | str]:
    config, names = run.config, parameter_names()
    knobs = properties(config.hyperparameters)
    return {"data": config.data, **{names[knob]: value for knob, value in knobs.items()}}


def _set_resources(pipeline: Pipeline, cluster: ClusterConfig, dialect: Dialect) -> None:
    cores, memory = cores_and_memory(cluster.machine_type or dialect.machine_type)
    kinds = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec
    for component in pipeline.components:
        if not isinstance(component, BaseComponent) or component.id not in (TRAINER, EVALUATOR):
            continue
        resources = kinds(cpu_limit=cores, memory_limit=memory)
        if component.id == TRAINER and cluster.gpu_count:
            accelerator = kinds.AcceleratorConfig(
                type=cluster.gpu_type or dialect.gpu_type, count=cluster.gpu_count
            )
            resources.accelerator.CopyFrom(accelerator)
        component.with_platform_config(resources)


def _set_defaults(spec: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Puts back the defaults of the parameters, which TFX 1.16 leaves out."""
    for name, parameter in spec["root"]["inputDefinitions"]["parameters"].items():
        parameter["defaultValue"] = values[name]


def _executor(spec: Mapping[str, Any], task: str) -> dict[str, Any]:
    component = spec["root"]["dag"]["tasks"][task]["componentRef"]["name"]
    label = spec["components"][component]["executorLabel"]
    return spec["deploymentSpec"]["executors"][label]


_GB_PER_CORE = {
    "n1-standard": 3.75,
    "n1-highmem": 6.5,
    "n1-highcpu": 0.9,
    "n2-standard": 4.0,
    "n2-highmem": 8.0,
    "n2-highcpu": 1.0,
    "e2-standard": 4.0,
    "e2-highmem": 8.0,
    "e2-highcpu": 1.0,
    "c2-standard": 4.0,
    "g2-standard": 4.0,
}
"""Of Google Compute Engine's machine families whose names end with the number of cores."""
_A2_CORES, _A2_GB = 12, 85
"""For each GPU of a2-highgpu-Ng."""


def cores_and_memory(machine_type: str) -> tuple[float, float]:
    """What a machine has: cores, and memory in GB.

    Vertex AI takes limits of cores and memory for a step, not the name of a machine, and finds
    the machine itself; so does Kubernetes.

    Args:
        machine_type: a name of Google Compute Engine such as n1-standard-8, or ``CORES:GB``.

    Raises:
        UsageError: it is neither.
    """
    if found := re.fullmatch(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", machine_type):
        return float(found[1]), float(found[2])
    if found := re.fullmatch(r"a2-highgpu-(\d+)g", machine_type):
        return float(_A2_CORES * int(found[1])), float(_A2_GB * int(found[1]))
    family, _, cores = machine_type.rpartition("-")
    if family not in _GB_PER_CORE or not cores.isdigit():
        raise UsageError(
            f"--machine-type must be CORES:GB, a2-highgpu-Ng, or one of these families with the "
            f"number of cores: {', '.join(_GB_PER_CORE)}. Received: {machine_type}."
        )
    return float(cores), float(cores) * _GB_PER_CORE[family]
