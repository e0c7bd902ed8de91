"""Beam is left out where it would only run in this process."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from tfx.dsl.components.base import base_beam_executor
from tfx.utils import dependency_utils

from astromer.system.errors import ClusterError
from components.beam import require_cluster, runs_in_process
from components.example_gen.executor import Executor as ExampleGenExecutor
from components.provenance import ROOT
from components.statistics.executor import Executor
from components.statistics.executor import Executor as StatisticsExecutor
from components.validator.executor import Executor as ValidatorExecutor
from pipeline_config import PipelineConfig


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), True),
        (PipelineConfig.beam_args, True),
        (("--runner=DirectRunner",), True),
        (("--direct_num_workers=2",), False),
        (("--direct_num_workers=0",), False),  # as many as there are processors
        (("--direct_running_mode=multi_processing",), False),
        (("--runner=DataflowRunner", "--project=p"), False),
        (("--runner=FlinkRunner", "--direct_num_workers=1"), False),
        (("--runner=DirectRunner", "--runner=DataflowRunner"), False),  # the last one counts
    ],
)
def test_where_beam_would_run(arguments, expected):
    assert runs_in_process(arguments) is expected


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often TFX's source is packed, which takes a second or two."""
    calls: list[int] = []

    def pack() -> str:
        calls.append(1)
        return "tfx.tar.gz"

    monkeypatch.setattr(dependency_utils, "build_ephemeral_package", pack)
    return calls


def context(*arguments: str, **settings):
    return base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(arguments), **settings
    )


@pytest.mark.parametrize("executor", [ExampleGenExecutor, StatisticsExecutor, ValidatorExecutor])
def test_no_source_is_packed_for_this_process(executor, packed):
    given = context(*PipelineConfig.beam_args)
    assert executor(given).in_process
    assert packed == []
    assert tuple(given.beam_pipeline_args) == PipelineConfig.beam_args


@pytest.mark.parametrize(
    "runner", ["FlinkRunner", "DataflowRunner", "DirectRunner --direct_num_workers=2"]
)
def test_workers_elsewhere_get_their_arguments_and_no_source_to_install(runner, packed):
    arguments = f"--runner={runner}".split()
    executor = StatisticsExecutor(context(*arguments))
    assert not executor.in_process
    assert packed == []
    assert executor._beam_pipeline_args[: len(arguments)] == arguments
    labels = PipelineOptions(executor._beam_pipeline_args).view_as(GoogleCloudOptions).labels
    assert any(label.startswith("tfx_executor=") for label in labels)


def test_a_given_pipeline_is_used():
    made = beam.Pipeline(runner="BundleBasedDirectRunner")
    executor = StatisticsExecutor(context(make_beam_pipeline_fn=lambda: made))
    assert not executor.in_process
    assert executor._make_beam_pipeline() is made


def test_processes_on_this_machine_can_import_the_package(packed, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    for _ in range(2):
        StatisticsExecutor(context("--runner=FlinkRunner"))
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "elsewhere"]


@pytest.fixture
def answering() -> Iterator[str]:
    """A place where something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """A place where nothing does, nor will while the test lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def jar(tmp_path: Path) -> str:
    file = tmp_path / "job-server.jar"
    file.touch()
    return str(file)


FLINK, SPARK = "--runner=FlinkRunner", "--runner=spark"
JARS = "--flink_job_server_jar={jar}", "--spark_job_server_jar={jar}"
JAVA = "--job_server_java_launcher=true"  # of all machines
WORDS = ("silent", "answering", "jar")


@pytest.mark.parametrize(
    "options",
    [
        ["--runner=DirectRunner", "--job_endpoint={silent}"],
        ["--runner=DataflowRunner"],
        ["--runner=PortableRunner", "--job_endpoint={answering}"],
        ["--runner=PortableRunner", "--job_endpoint=embed"],
        [FLINK, "--job_endpoint={answering}", "--flink_master={silent}"],
        [FLINK, "--flink_master={answering}", JAVA, JARS[0]],
        [FLINK, "--flink_master=http://{answering}/flink", JAVA, JARS[0]],
        [FLINK, "--flink_master=[local]", JAVA, JARS[0]],
        [FLINK, "--flink_master={answering}", "--flink_submit_uber_jar"],
        [SPARK, "--spark_master_url=local[2]", JAVA, JARS[1]],
        [SPARK, "--spark_master_url=spark://{silent},{answering}", JAVA, JARS[1]],
    ],
    ids=" ".join,
)
def test_what_can_be_reached(options, request):
    values = {word: request.getfixturevalue(word) for word in WORDS}
    require_cluster([option.format(**values) for option in options])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--runner=PortableRunner", "--job_endpoint={silent}"],
            r"job server must be reachable\. Nothing answers at 127.0.0.1, port \d+: Connection "
            r"refused \(--job_endpoint=127.*without Beam's options this machine does the work",
        ),
        ([FLINK, "--flink_master={silent}"], "Flink must be reachable.*--flink_master=127"),
        (
            [SPARK, "--spark_master_url=spark://{silent},localhost:1"],
            r"Spark must be reachable.*; localhost, port 1: Connection refused",
        ),
        (
            [FLINK, "--job_server_java_launcher=no-java"],
            "needs Java: there is no program no-java.*--job_server_java_launcher.*--job_endpoint",
        ),
        (
            [FLINK, JAVA, "--flink_job_server_jar={jar}.gone"],
            r"must be there or be downloaded: Unable to parse jar URL .*--flink_job_server_jar",
        ),
        (
            [SPARK, JAVA, "--spark_job_server_jar=http://{silent}/server.jar"],
            "must be there or be downloaded: .*refused.*Give --spark_job_server_jar",
        ),
    ],
)
def test_what_cannot(options, told, request, tmp_path):
    values = {word: request.getfixturevalue(word) for word in WORDS}
    given = [option.format(**values) for option in options]
    with pytest.raises(ClusterError, match=told):
        require_cluster([*given, f"--jar_cache_dir={tmp_path / 'cache'}"])


def test_an_executor_asks_when_it_needs_beam(silent):
    options = [FLINK, f"--flink_master={silent}"]
    context = base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=options)
    executor = Executor(context)
    with pytest.raises(ClusterError, match="Flink must be reachable"):
        executor._make_beam_pipeline()
