"""Submitting: what is missing is told at once, and what is there reaches the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform

from astromer.system.errors import ClusterError, UsageError
from pipeline import kubeflow_runner, vertex_runner
from pipeline.cluster.cluster_runner import cores_and_memory
from tests.pipeline.cluster_specs import DATA, OUTPUT
from tests.standins.kubeflow import Kubeflow

PLACES = ["--data", DATA, "--output", OUTPUT]
VERTEX = [*PLACES, "--submit", "--project", "p", "--region", "europe-west4", "--image", "r/i:1"]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials of this machine's, and compiled pipelines go to a folder of the test's."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("runner", "arguments", "said"),
    [
        (vertex_runner, [*PLACES, "--submit"], "--project"),
        (vertex_runner, [*PLACES, "--submit", "--project", "p"], "--region"),
        (vertex_runner, [*VERTEX, "--output", "outputs"], "--output"),
        (vertex_runner, [*VERTEX, "--data", "/records"], "--data"),
        (vertex_runner, [*VERTEX, "--image", "astromer"], "--image"),
        (kubeflow_runner, [*PLACES, "--submit"], "--endpoint"),
        (kubeflow_runner, [*PLACES, "--submit", "--endpoint", "localhost"], "--endpoint"),
        (kubeflow_runner, [*PLACES, "--spec", "a.json"], "--spec"),
        (kubeflow_runner, [*PLACES, "--schedule", "0 3 * * 1"], "--schedule"),
        (kubeflow_runner, [*PLACES, "--beam-options", '"'], "--beam-options"),
        (kubeflow_runner, [*PLACES, "--gpus", "-1"], "--gpus"),
        (kubeflow_runner, [*PLACES, "--n-heads", "3"], "--n-heads"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_loaded(runner, arguments, said):
    with pytest.raises(UsageError, match="Received") as caught:
        runner.parse(arguments)
    assert said in str(caught.value)


@pytest.mark.parametrize("runner", [vertex_runner, kubeflow_runner])
@pytest.mark.parametrize(
    ("flag", "place", "why"),
    [
        ("--data", "s3://bucket/fold", "s3:// needs the package tensorflow-io"),
        ("--output", "minio://bucket/out", r"begin with one of .*gs://.* Received: minio://"),
    ],
)
def test_a_store_that_tensorflow_cannot_read_is_refused_when_compiling(
    runner, flag: str, place: str, why: str, tmp_path: Path
) -> None:
    spec = tmp_path / "compiled.yaml"
    with pytest.raises(UsageError, match=f"^{flag} must be .* Received: {place}. .*{why}"):
        runner.main([*PLACES, flag, place, "--spec", str(spec)])
    assert not spec.exists()


def test_settings_of_tensorboard_reach_the_pipeline():
    run, _ = kubeflow_runner.parse([*PLACES, "--image-epochs", "0"])
    assert run.config.tensorboard.image_epochs == 0


def test_missing_credentials_are_told_before_compiling(tmp_path):
    with pytest.raises(ClusterError, match="gcloud auth application-default login"):
        vertex_runner.main(VERTEX)
    assert not (tmp_path / "outputs" / "compiled" / "vertex.yaml").exists()


def test_a_spec_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--spec"):
        vertex_runner.main([*PLACES, "--spec", "file/vertex.yaml"])


@pytest.mark.parametrize("schedule", ["", "0 3 * * 1"])
def test_vertex_is_given_account_parameters_and_schedule(monkeypatch, schedule, capfd):
    given: dict[str, Any] = {}
    monkeypatch.setattr(google.auth, "default", lambda **_: (AnonymousCredentials(), "p"))
    monkeypatch.setattr(
        aiplatform.PipelineJob, "submit", lambda job, **options: given.update(job=job, **options)
    )
    monkeypatch.setattr(aiplatform.PipelineJob, "_dashboard_uri", lambda job: "https://watch")

    def create_schedule(job: Any, **options: Any) -> Any:
        given.update(job=job, **options)
        return type("Schedule", (), {"resource_name": "schedules/1"})

    monkeypatch.setattr(aiplatform.PipelineJob, "create_schedule", create_schedule)
    options = ["--service-account", "robot@p", "--epochs", "3", "--schedule", schedule]

    assert vertex_runner.main([*VERTEX, *options]) == 0

    assert given["service_account"] == "robot@p"
    values = given["job"]._gca_resource.runtime_config.parameter_values
    assert (values["epochs"], values["data"]) == (3, DATA)
    assert given.get("cron", "") == schedule
    assert ("schedules/1" if schedule else "https://watch") in capfd.readouterr().out


def test_what_vertex_refuses_is_told_in_a_line(monkeypatch):
    def refuse(job: Any, **_: Any) -> None:
        from google.api_core.exceptions import PermissionDenied

        raise PermissionDenied("Permission aiplatform.pipelineJobs.create denied")

    monkeypatch.setattr(google.auth, "default", lambda **_: (AnonymousCredentials(), "p"))
    monkeypatch.setattr(aiplatform.PipelineJob, "submit", refuse)
    with pytest.raises(
        ClusterError, match="project p, region europe-west4.*pipelineJobs"
    ) as caught:
        vertex_runner.main(VERTEX)
    assert "\n" not in str(caught.value)


def test_an_endpoint_that_does_not_answer_is_told(tmp_path):
    endpoint = ["--submit", "--endpoint", "http://127.0.0.1:9"]
    with pytest.raises(ClusterError, match="http://127.0.0.1:9"):
        kubeflow_runner.main([*PLACES, *endpoint])
    assert not (tmp_path / "outputs" / "compiled" / "kubeflow.yaml").exists()


def test_a_token_file_that_is_missing_is_told():
    endpoint = ["--submit", "--endpoint", "http://127.0.0.1:9", "--token-file", "nothing"]
    with pytest.raises(UsageError, match="--token-file"):
        kubeflow_runner.main([*PLACES, *endpoint])


@pytest.fixture
def cluster() -> Iterator[Kubeflow]:
    with Kubeflow() as made:
        yield made


@pytest.mark.parametrize(("schedule", "path"), [("", "runs"), ("0 0 3 * * 1", "recurringruns")])
def test_kubeflow_is_given_the_spec_parameters_and_schedule(
    cluster, tmp_path, schedule, path, capfd
):
    (tmp_path / "token").write_text("secret\n")
    options = ["--submit", "--endpoint", cluster.endpoint, "--service-account", "robot"]
    more = ["--schedule", schedule, "--token-file", "token", "--bs", "64"]

    assert kubeflow_runner.main([*PLACES, *options, *more]) == 0

    sent = cluster.posted(path)
    assert sent["pipeline_spec"]["pipelineInfo"]["name"] == "astromer"
    assert sent["runtime_config"]["parameters"]["bs"] == 64
    assert sent["runtime_config"]["pipeline_root"] == f"{OUTPUT}/pipeline"
    assert sent["service_account"] == "robot"
    assert {token for *_, token in cluster.requests} == {"Bearer secret"}
    if schedule:
        assert sent["trigger"]["cron_schedule"]["cron"] == schedule
    assert cluster.endpoint in capfd.readouterr().out


def test_what_kubeflow_refuses_is_told_in_a_line(cluster):
    cluster.refuses = True
    with pytest.raises(ClusterError, match="Forbidden") as caught:
        kubeflow_runner.main([*PLACES, "--submit", "--endpoint", cluster.endpoint])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("machine", "cores", "memory"),
    [
        ("n1-standard-8", 8, 30),
        ("n1-highmem-4", 4, 26),
        ("a2-highgpu-2g", 24, 170),
        ("g2-standard-12", 12, 48),
        ("7:24", 7, 24),
        ("3.5:12.5", 3.5, 12.5),
    ],
)
def test_machines_have_cores_and_memory(machine, cores, memory):
    assert cores_and_memory(machine) == (cores, memory)


@pytest.mark.parametrize(
    "machine", ["n1-standard", "m9-standard-8", "n1-standard-x", "8", "8:", ""]
)
def test_unknown_machines_are_refused(machine):
    with pytest.raises(UsageError, match="--machine-type"):
        cores_and_memory(machine)


def test_places_on_this_machine_become_absolute_and_buckets_stay(tmp_path):
    run, _ = kubeflow_runner.parse(["--data", "fold", "--output", "gs://bucket/out/"])
    assert run.config.data == str(tmp_path / "fold")
    assert run.config.output == "gs://bucket/out"
