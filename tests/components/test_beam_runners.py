"""The same results by Beam's local runners; pipelines for clusters are built, not submitted."""

from __future__ import annotations

import base64
import bz2
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
    WorkerOptions,
)
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.dataflow.internal import apiclient
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.local_job_service import LocalJobServicer
from apache_beam.transforms import environments
from tfx.dsl.compiler import compiler
from tfx.dsl.components.base import base_beam_executor
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2
from tfx.types import channel_utils, standard_artifacts

from astromer.records.config import LightCurveRules
from astromer.records.fold import Fold
from astromer.system.errors import RecordError, WorkerLostError
from astromer.validation.config import ValidationConfig
from astromer.validation.fold_check import validate_fold
from components import LightCurveAnomalies
from components.beam import runs_in_process
from components.validator import LightCurveValidator
from components.validator import executor as validator_executor
from components.validator.beam_pipeline import add_validation, read_results
from components.validator.executor import Executor
from pipeline import beam_workers
from pipeline.beam_options import BEAM_COMPONENTS, read_beam_options
from pipeline.beam_workers import tell_lost_workers
from pipeline.local.failures import one_line_errors
from pipeline.pipeline import create_pipeline
from pipeline_config import PipelineConfig
from tests.astromer.validation import corpus
from tests.components.conftest import artifact, run_example_gen
from tests.pipeline.folds import encode, write_fold, write_records
from tests.standins.spark import fetch_spark

RULES = ValidationConfig(max_rejected=1.0), LightCurveRules()
PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"
IMAGE = "registry/astromer:1"
DATAFLOW = (
    "--runner=DataflowRunner --project=survey --region=europe-west4 "
    f"--temp_location=gs://bucket/tmp --sdk_container_image={IMAGE} --num_workers=3"
)
FLINK = (
    "--runner=FlinkRunner --flink_master=flink:8081 --parallelism=6 "
    f"--environment_type=DOCKER --environment_config={IMAGE}"
)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fold of five files with broken light curves, and one that is trained and tested on."""
    folder = tmp_path_factory.mktemp("broken") / "fold"
    corpus.write_splits(folder, train=corpus.spoilt("sentinel"))
    train = corpus.good("train", 4, 7)
    for split, curves in (("train", train), ("test", [train[2], *corpus.good("test", 3, 8)])):
        write_records(folder / split / "1.record", [encode(curve) for curve in curves])
    return folder


def findings_of(fold: Path) -> list[dict[str, Any]]:
    found = validate_fold(Fold.open(fold), *RULES, progress=False).findings.to_arrow().to_pylist()
    assert {"leaked_star", "mag_out_of_range"} <= {finding["rule"] for finding in found}
    return found


def test_beam_in_memory_gives_a_look_at_each_file(broken, tmp_path):
    options = PipelineOptions(list(PipelineConfig.beam_args))
    files = Fold.open(broken).files
    with beam.Pipeline(runner=FnApiRunner(), options=options) as pipeline:
        add_validation(pipeline, files, *RULES, tmp_path)
    looks, matches = read_results(tmp_path)
    assert sorted((look.split, look.file) for look in looks) == [
        (0, 0), (0, 1), (1, 0), (2, 0), (2, 1)
    ]  # fmt: skip
    assert matches


def run_validator(fold: Path, folder: Path, *arguments: str, **context: Any) -> list[dict]:
    """What the component finds with such arguments of Beam."""
    examples = run_example_gen(fold, folder / "examples")
    component = LightCurveValidator(
        channel_utils.as_channel([examples]),
        validation=RULES[0],
        rules=RULES[1],
        report=str(folder / "report"),
    )
    accepted = artifact(standard_artifacts.Examples, folder / "accepted")
    anomalies = artifact(LightCurveAnomalies, folder / "anomalies")
    executor = Executor(
        base_beam_executor.BaseBeamExecutor.Context(
            beam_pipeline_args=list(read_beam_options(arguments).everywhere),
            tmp_dir=str(folder),
            unique_id="1",
            **context,
        )
    )
    assert not executor.in_process
    executor.Do(
        {"examples": [examples]},
        {"valid_examples": [accepted], "anomalies": [anomalies]},
        component.spec.exec_properties,
    )
    return pq.read_table(Path(anomalies.uri) / "findings.parquet").to_pylist()


def test_two_processes_of_beam_find_what_this_one_finds(broken, tmp_path):
    assert run_validator(broken, tmp_path, PROCESSES) == findings_of(broken)


@pytest.fixture(scope="module")
def job_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Beam's own, in Python."""
    server = LocalJobServicer(str(tmp_path_factory.mktemp("staging")))
    yield f"localhost:{server.start_grpc_server()}"
    server.stop()


@pytest.mark.parametrize("runner", ["Flink", "Portable", "Spark"])
def test_a_job_server_finds_what_this_process_finds(runner, broken, job_server, tmp_path):
    where = f"--job_endpoint={job_server} --environment_type=LOOPBACK"
    found = run_validator(broken, tmp_path, f"--runner={runner}Runner {where}")
    assert found == findings_of(broken)


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What ``make spark`` fetches."""
    folder = tmp_path / "spark"
    if reason := fetch_spark(folder):
        pytest.skip(reason)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    # One worker: what takes its time is that each loads TensorFlow and TFX.
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master local[1] pyspark-shell")
    yield
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    SparkContext.getOrCreate().stop()
    gateway.shutdown()
    gateway.proc.stdin.close()  # by which Java ends
    gateway.proc.wait()


def test_spark_finds_what_this_process_finds(broken, spark, tmp_path):
    runner = "--runner=beam_pyspark_runner.pyspark_runner.PySparkRunner"
    assert run_validator(broken, tmp_path, runner) == findings_of(broken)


def test_the_error_of_a_worker_is_the_run_s(broken, tmp_path, monkeypatch):
    """The examples are damaged after they were made: nothing but a worker sees it."""
    made = run_example_gen(broken, tmp_path / "examples")
    [file, *_] = Path(made.uri, "Split-train").iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    monkeypatch.setattr(f"{__name__}.run_example_gen", lambda fold, folder: made)
    with pytest.raises(RecordError) as told, one_line_errors(tmp_path / "log"):
        run_validator(broken, tmp_path, PROCESSES)
    assert str(told.value).startswith(f"{file} is a damaged gzip file: it is cut off")
    assert "while running" not in str(told.value)
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_run_ends_with_a_worker_that_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(beam_workers, "_told", [])
    tell_lost_workers()
    arguments = PipelineOptions(PROCESSES.split())
    with (
        pytest.raises(WorkerLostError, match="exit code 137"),
        one_line_errors(tmp_path / "log"),
        beam.Pipeline(options=arguments) as pipeline,
    ):
        numbers = pipeline | beam.Create([0, 1]) | beam.Reshuffle()
        _ = numbers | beam.Map(lambda number: os.kill(os.getpid(), signal.SIGKILL))


def test_a_runner_that_loses_something_is_found_out(broken, tmp_path, monkeypatch):
    def lossy(folder: Path) -> tuple[list, list]:
        looks, matches = read_results(folder)
        return looks[1:], matches

    monkeypatch.setattr(validator_executor, "read_results", lossy)
    in_memory = beam.Pipeline(runner=FnApiRunner())
    with pytest.raises(RuntimeError, match="2 of 3 files"):
        run_validator(broken, tmp_path, make_beam_pipeline_fn=lambda: in_memory)


def arguments_by_component(config: PipelineConfig) -> dict[str, list[str]]:
    """What the compiled pipeline gives each executor."""
    ir = compiler.Compiler().compile(create_pipeline(config))
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    ir.deployment_config.Unpack(deployment)
    found = {}
    for node, packed in deployment.executor_specs.items():
        spec = executable_spec_pb2.BeamExecutableSpec()
        if packed.Unpack(spec):
            found[node] = [part.value.string_value for part in spec.beam_pipeline_args_placeholders]
    return found


def test_every_component_gets_the_options_and_one_gets_more(tmp_path):
    given = read_beam_options([DATAFLOW, "StatisticsGen: --runner=DirectRunner"])
    config = PipelineConfig(
        data=str(write_fold(tmp_path / "fold")),
        output=str(tmp_path / "outputs"),
        beam_args=given.everywhere,
        component_beam_args=given.by_component,
    )
    found = arguments_by_component(config)
    assert set(BEAM_COMPONENTS) < set(found)
    for name, arguments in found.items():
        own = ["--runner=DirectRunner"] if name == "StatisticsGen" else []
        assert arguments == [*DATAFLOW.split(), *own], name
    assert runs_in_process(found["StatisticsGen"])
    assert not runs_in_process(found["LightCurveValidator"])
    # Nothing was left in the class for the next pipeline.
    plain = arguments_by_component(PipelineConfig(data=config.data, output=config.output))
    assert {tuple(arguments) for arguments in plain.values()} == {PipelineConfig.beam_args}


def test_dataflow_and_flink_know_the_options():
    dataflow = PipelineOptions(DATAFLOW.split())
    assert dataflow.view_as(GoogleCloudOptions).region == "europe-west4"
    assert dataflow.view_as(WorkerOptions).num_workers == 3
    flink = PipelineOptions(FLINK.split())
    assert flink.view_as(FlinkRunnerOptions).flink_master == "flink:8081"
    assert flink.view_as(FlinkRunnerOptions).parallelism == 6
    assert flink.view_as(PortableOptions).environment_type == "DOCKER"


def environment_of(options: PipelineOptions) -> environments.Environment:
    """As the runners make it."""
    if options.view_as(StandardOptions).runner == "DataflowRunner":
        image = apiclient.get_container_image_from_options(options)
        return environments.DockerEnvironment.from_container_image(image)
    return environments.Environment.from_options(options.view_as(PortableOptions))


def functions(pipeline: beam_runner_api_pb2.Pipeline) -> list[bytes]:
    """What workers are sent, unpacked."""
    found = []
    for transform in pipeline.components.transforms.values():
        if transform.spec.urn == common_urns.primitives.PAR_DO.urn:
            payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
            found.append(bz2.decompress(base64.b64decode(payload.do_fn.payload)))
    return found


@pytest.mark.parametrize("arguments", [DATAFLOW, FLINK])
def test_a_pipeline_for_a_cluster_is_built_with_the_image(broken, tmp_path, monkeypatch, arguments):
    # Beam would ask Cloud Storage for the bucket's policy, to give advice.
    monkeypatch.setattr(
        GoogleCloudOptions, "_warn_if_soft_delete_policy_enabled", lambda self, name: None
    )
    assert not runs_in_process(read_beam_options([arguments]).everywhere)
    pipeline = beam.Pipeline(options=PipelineOptions(arguments.split()))
    assert type(pipeline.runner).__name__ in arguments
    add_validation(pipeline, Fold.open(broken).files, *RULES, tmp_path)
    proto = pipeline.to_runner_api(default_environment=environment_of(pipeline.options))
    names = {transform.unique_name for transform in proto.components.transforms.values()}
    assert {"CheckFile", "Equal", "Match", "WriteChecks", "WriteMatches"} <= names
    images = {
        beam_runner_api_pb2.DockerPayload.FromString(environment.payload).container_image
        for environment in proto.components.environments.values()
    }
    assert images == {IMAGE}
    # What travels names this package's modules instead of carrying them: workers need it.
    assert any(b"components.validator.beam_pipeline" in sent for sent in functions(proto))
    assert not any(b"find_matches" in sent for sent in functions(proto))


def test_flink_s_workers_would_not_heed_dataflow_s_option():
    options = PipelineOptions(["--runner=FlinkRunner", f"--sdk_container_image={IMAGE}"])
    assert environment_of(options).container_image != IMAGE
