"""A cluster that is not there is told before Beam waits for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tfx.dsl.components.base import base_beam_executor

from astromer.system.errors import ClusterError
from components.beam_cluster import require_cluster
from components.statistics.executor import Executor


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
