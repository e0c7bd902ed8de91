"""Compiled pipelines: they load where they are to run, and hold what was asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.protobuf import json_format
from kfp import components
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.utils import import_utils

from astromer.system.config import all_knobs
from astromer.training.config import Hyperparameters
from pipeline import vertex_runner
from pipeline.cluster.cluster_options import parameter_names
from pipeline.cluster.cluster_runner import Compiled
from pipeline.cluster.spec import PipelineSpec
from pipeline_config import VertexConfig
from tests.pipeline.cluster_specs import DATA, OUTPUT, compile_for

DOCUMENTED = "model hidden n_heads n_layers dropout epochs bs lr patience log_every seed norm debug"
CHANGED = ["--epochs", "7", "--lr", "3e-4", "--norm", "--image", "registry/astromer:1"]
DATAFLOW = (
    "--runner=DataflowRunner --project=p --region=somewhere --temp_location=gs://b/tmp "
    "--sdk_container_image=registry/astromer:1"
)
MACHINE = ["--machine-type", "n1-highmem-4", "--gpus", "2", "--trainer-retries", "5"]


@pytest.fixture(scope="module", params=["vertex", "kubeflow"])
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(request.param)
    beam = ["--beam-options", DATAFLOW]
    file, spec = compile_for(request.param, folder, *CHANGED, *MACHINE, *beam)
    values = json.loads(file.with_suffix(".parameters.json").read_text())
    return SimpleNamespace(target=request.param, file=file, spec=spec, values=values)


def tasks(spec: dict[str, Any]) -> dict[str, Any]:
    return spec["root"]["dag"]["tasks"]


def executors(spec: dict[str, Any], kind: str) -> dict[str, Any]:
    found = spec["deploymentSpec"]["executors"].items()
    return {name.removesuffix("_executor"): one[kind] for name, one in found if kind in one}


def test_kfp_loads_it(compiled):
    loaded = components.load_component_from_file(str(compiled.file))
    assert loaded.pipeline_spec.pipeline_info.name == "astromer"
    assert set(loaded.component_spec.inputs) == set(compiled.values)
    parsed = json_format.ParseDict(compiled.spec, pipeline_spec_pb2.PipelineSpec())
    assert set(parsed.root.dag.tasks) == set(tasks(compiled.spec))
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", parsed.pipeline_info.name)


def test_vertex_s_client_takes_it_with_every_value(compiled):
    run, _ = vertex_runner.parse(["--data", DATA, "--output", OUTPUT, "--spec", str(compiled.file)])
    vertex = VertexConfig("my-project", "europe-west4")
    whole = Compiled(compiled.spec, compiled.values)
    job = vertex_runner.make_job(run, vertex, whole, AnonymousCredentials())
    given = job._gca_resource.runtime_config
    assert given.gcs_output_directory == f"{OUTPUT}/pipeline"
    assert dict(given.parameter_values) == compiled.values


def test_every_parameter_that_is_asked_for_is_given_and_has_a_default(compiled):
    asked = {
        one["componentInputParameter"]
        for task in tasks(compiled.spec).values()
        for one in task.get("inputs", {}).get("parameters", {}).values()
        if "componentInputParameter" in one
    }
    declared = compiled.spec["root"]["inputDefinitions"]["parameters"]
    assert asked == set(declared) == set(compiled.values)
    assert {name: one["defaultValue"] for name, one in declared.items()} == compiled.values
    for step in PipelineSpec(compiled.spec).steps:
        given = tasks(compiled.spec)[step].get("inputs", {}).get("parameters", {})
        component = PipelineSpec(compiled.spec).component(step)
        assert set(given) == set(component.get("inputDefinitions", {}).get("parameters", {}))


def test_every_hyperparameter_is_a_parameter(compiled):
    flags = {
        flag.lstrip("-").replace("-", "_")
        for knob, _ in all_knobs(Hyperparameters)
        for flag in knob.metadata["flags"][:1]
    }
    assert set(compiled.values) == flags | {"data"}
    assert set(DOCUMENTED.split()) <= flags
    assert (compiled.values["epochs"], compiled.values["lr"], compiled.values["norm"]) == (
        7,
        3e-4,
        1,
    )
    trainer = tasks(compiled.spec)["Trainer"]["inputs"]["parameters"]
    for knob, name in parameter_names().items():
        assert trainer[knob] == {"componentInputParameter": name}


def test_the_documents_name_no_other_hyperparameters(compiled, shared):
    table = (shared / "docs" / "training.md").read_text()
    flags = set(re.findall(r"^\| `--([a-z-]+)`", table, re.MULTILINE))
    aliases = {"d-model": "hidden", "output": "epochs"}  # --output is a place, and is compiled in
    names = {aliases.get(flag, flag).replace("-", "_") for flag in flags}
    assert len(flags) > 10
    assert names <= set(compiled.values)


def test_executors_and_artifact_types_can_be_imported(compiled):
    for container in executors(compiled.spec, "container").values():
        path = container["args"][container["args"].index("--executor_class_path") + 1]
        assert not path.startswith("__main__")
        assert hasattr(import_utils.import_class_by_path(path), "Do")
    for title in re.findall(r"title: (components\.\w+)", compiled.file.read_text()):
        assert title == import_utils.import_class_by_path(title).TYPE_NAME


def test_image_machine_accelerator_beam_options_and_retries_are_those_asked_for(compiled):
    containers = executors(compiled.spec, "container")
    assert {one["image"] for one in containers.values()} == {"registry/astromer:1"}
    resources = containers["Trainer"]["resources"]
    assert (resources["cpuLimit"], resources["memoryLimit"]) == (4.0, 26.0)
    kinds = {"vertex": "NVIDIA_TESLA_T4", "kubeflow": "nvidia.com/gpu"}
    assert resources["accelerator"] == {"type": kinds[compiled.target], "count": "2"}
    assert "accelerator" not in containers["Evaluator"]["resources"]
    assert "resources" not in containers["StatisticsGen"]
    for name in ("StatisticsGen", "LightCurveValidator"):
        assert "--runner=DataflowRunner" in containers[name]["args"]
    assert tasks(compiled.spec)["Trainer"]["retryPolicy"] == {"maxRetryCount": 5}


def test_pushing_is_never_taken_from_a_cache(compiled):
    assert "cachingOptions" not in tasks(compiled.spec)["Pusher"]
    assert tasks(compiled.spec)["Trainer"]["cachingOptions"] == {"enableCache": True}


def test_the_report_comes_last_whatever_the_blessing_was(compiled):
    steps = tasks(compiled.spec)
    assert "Reporter" in steps
    assert "triggerPolicy" not in steps["Reporter"]
    assert "Pusher" in steps["Reporter"]["dependentTasks"]
    assert not any("Reporter" in task.get("dependentTasks", ()) for task in steps.values())


def test_each_cluster_gets_what_it_knows(compiled):
    containers = executors(compiled.spec, "container")
    resolvers = executors(compiled.spec, "resolver")
    ingestion = tasks(compiled.spec)["FoldExampleGen"]
    if compiled.target == "vertex":
        assert len(resolvers) == 4
        assert "preCacheCheck" in containers["FoldExampleGen"]["lifecycle"]
        assert "cachingOptions" in ingestion
    else:
        assert resolvers == {}
        assert "lifecycle" not in containers["FoldExampleGen"]
        assert "cachingOptions" not in ingestion
        assert "cachingOptions" not in tasks(compiled.spec)["PushedModel"]


def test_a_trainer_without_gpus_has_no_accelerator(tmp_path: Path):
    _, spec = compile_for("kubeflow", tmp_path, "--gpus", "0", "--trainer-retries", "0")
    assert "accelerator" not in executors(spec, "container")["Trainer"]["resources"]
    assert "retryPolicy" not in tasks(spec)["Trainer"]


def test_the_model_to_begin_with_is_a_parameter_and_decides_on_the_sizes(toy, tmp_path: Path):
    from astromer.serving.checksums import digest
    from astromer.serving.export import export_weights

    model = tmp_path / "model"
    model.mkdir()
    export_weights(toy.model("astromer_phase", num_layers=1), model)
    (model / "checksums.txt").unlink()
    (model / "saved_model.pb").touch()  # nothing loads it here
    file, _ = compile_for("kubeflow", tmp_path, "--init", str(model))
    values = json.loads(file.with_suffix(".parameters.json").read_text())
    assert values["init"] == str(model)
    assert values["init_sha256"] == digest(model / "assets.extra" / "weights.npz")
    assert (values["model"], values["hidden"], values["n_layers"]) == ("astromer_phase", 8, 1)
    assert values["norm"] == 1
