"""The Trainer as a Vertex job: on hosts of this machine, with what Vertex would tell them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tfx.extensions.google_cloud_ai_platform import training_clients
from tfx.types import channel, standard_artifacts

from astromer.records.config import LightCurveRules
from astromer.windows.config import MaskingConfig
from components.trainer.executor import settings_of
from components.trainer.run_fn import trainer_fingerprint
from components.trainer.vertex import VertexExecutor, VertexTrainer
from presentation.pretraining import parse
from tests.components.cluster_jobs import ROOT, Job, vertex
from tests.components.conftest import artifact, run_example_gen
from tests.components.test_trainer import ENCODER, TRAINING, make_trainer
from tests.standins.hosts import Hosts

POOLS: list[dict[str, Any]] = [
    {
        "machine_spec": {"machine_type": "n1-standard-8"},
        "replica_count": 1,
        "container_spec": {"image_uri": "region-docker.pkg.dev/project/astromer/pipeline:1"},
    }
    for _ in range(2)
]


def make(root: Path) -> VertexTrainer:
    return VertexTrainer(
        channel.Channel(type=standard_artifacts.Examples),
        project="project",
        region="us-central1",
        worker_pool_specs=POOLS,
        encoder=ENCODER,
        masking=MaskingConfig(),
        training=TRAINING,
        rules=LightCurveRules(),
        training_root=str(root),
    )


class Vertex(training_clients.VertexJobClient):
    """Runs a custom job's containers as processes on hosts of this machine."""

    folder: Path
    job: dict[str, Any]

    def __init__(self) -> None:
        pass

    def launch_job(self, project: str, training_job: dict[str, Any]) -> None:
        type(self).job = training_job
        pools = training_job["job_spec"]["worker_pool_specs"]
        commands = [
            pool["container_spec"]["command"]
            for pool in pools
            for _ in range(pool["replica_count"])
        ]
        assert all(command[0] == "python" for command in commands)
        words = [command[1:] for command in commands]
        with Hosts(len(commands)) as hosts:
            environments = vertex([pool["replica_count"] for pool in pools], hosts)
            with Job(words, environments, self.folder, hosts) as job:
                self.codes, self.told = job.wait(), job.told()

    def get_job(self) -> list[int]:
        return self.codes

    def get_job_name(self) -> str:
        return "job"

    def get_job_state(self, response: list[int]) -> str:
        return self.JOB_STATES_FAILED[0] if any(response) else self.JOB_STATES_COMPLETED[0]


def test_machines_are_no_part_of_the_run_s_name(tmp_path):
    configs = [
        settings_of(trainer.exec_properties) for trainer in (make(tmp_path), make_trainer(tmp_path))
    ]
    assert "ai_platform_training_args" in configs[0]
    names = {trainer_fingerprint({**config, "data_fingerprint": "d"}) for config in configs}
    assert len(names) == 1


def block(language: str) -> str:
    """The document's code block in a language."""
    text = (ROOT / "docs/train_on_several_machines.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return found


def test_the_documented_pipeline_trains_on_vertex(fold, tmp_path):
    code = block("python").replace("/gcs/BUCKET/records/fold_0", str(fold))
    names: dict[str, Any] = {}
    exec(code.replace("/gcs/BUCKET/outputs", str(tmp_path / "outputs")), names)
    (trainer,) = (c for c in names["pipeline"].components if isinstance(c, VertexTrainer))
    config = json.loads(trainer.exec_properties["custom_config"])
    pools = config["ai_platform_training_args"]["job_spec"]["worker_pool_specs"]
    assert [pool["replica_count"] for pool in pools] == [1, 3]


def test_the_documented_tfjob_runs_the_documented_program():
    job = yaml.safe_load(block("yaml"))
    replicas = job["spec"]["tfReplicaSpecs"]
    assert {kind: spec["replicas"] for kind, spec in replicas.items()} == {"Chief": 1, "Worker": 3}
    for spec in replicas.values():
        assert spec["restartPolicy"] == "ExitCode"
        (container,) = spec["template"]["spec"]["containers"]
        assert container["command"] == ["python", "-m", "presentation.scripts.disttrain"]
        args = parse(container["args"], "disttrain", "")
        assert args.training.worker_seconds == 1800


@pytest.mark.slow
def test_a_job_of_two_pools_trains_and_its_facts_reach_the_artifacts(
    tmp_path, fold, monkeypatch: pytest.MonkeyPatch
):
    Vertex.folder = tmp_path / "logs"
    monkeypatch.setattr(training_clients, "get_job_client", lambda *args: Vertex())
    examples = run_example_gen(fold, tmp_path / "examples")
    model = artifact(standard_artifacts.Model, tmp_path / "model")
    model_run = artifact(standard_artifacts.ModelRun, tmp_path / "model_run")

    VertexExecutor().Do(
        {"examples": [examples]},
        {"model": [model], "model_run": [model_run]},
        make(tmp_path / "training").exec_properties,
    )

    assert model.get_int_custom_property("summary.replicas") == 2
    assert model.get_int_custom_property("encoder.d_model") == 8
    assert model_run.get_string_custom_property("checkpoint_dir")
    pools = Vertex.job["job_spec"]["worker_pool_specs"]
    assert [pool["container_spec"]["image_uri"] for pool in pools] == [
        pool["container_spec"]["image_uri"] for pool in POOLS
    ]
