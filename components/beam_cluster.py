"""Is there the cluster that Beam is to use? Beam waits minutes for one, to tell of a timeout."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from urllib.parse import urlsplit

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PipelineOptions,
    PortableOptions,
    SparkRunnerOptions,
    StandardOptions,
)
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer
from apache_beam.runners.portability.job_server import JavaJarJobServer
from apache_beam.runners.portability.spark_runner import SparkJarJobServer

from astromer.system.cluster import why_silent
from astromer.system.errors import ClusterError
from astromer.system.text import brief

_EMBEDDED = "embed"  # the job server of --job_endpoint that is this process
_INSTEAD = "without Beam's options this machine does the work"


def require_cluster(beam_pipeline_args: Sequence[str]) -> None:
    """Makes sure that a Flink or Spark cluster or a job server can be reached.

    Args:
        beam_pipeline_args: Beam's; those of other runners are not looked at.

    Raises:
        ClusterError: nothing answers, or this machine lacks what Beam would reach it with.
    """
    options = PipelineOptions(list(beam_pipeline_args))
    runner = (options.view_as(StandardOptions).runner or "").lower().removesuffix("runner")
    if runner not in ("flink", "spark", "portable"):
        return
    if endpoint := options.view_as(PortableOptions).job_endpoint:
        if endpoint != _EMBEDDED:
            _require_answer("Beam's job server", f"--job_endpoint={endpoint}", [f"//{endpoint}"])
    elif runner == "flink":
        flink = options.view_as(FlinkRunnerOptions)
        master = flink.flink_master
        places = [master if "://" in master else f"//{master}"]
        _require_answer("Flink", f"--flink_master={master}", places)
        if not flink.flink_submit_uber_jar:
            _require_job_server(FlinkJarJobServer(options), "flink", options)
    elif runner == "spark":
        spark = options.view_as(SparkRunnerOptions)
        master = spark.spark_master_url
        if master.startswith("spark://"):  # of several masters one is in charge
            places = [f"//{place}" for place in master.removeprefix("spark://").split(",")]
            _require_answer("Spark", f"--spark_master_url={master}", places)
        if not spark.spark_submit_uber_jar:
            _require_job_server(SparkJarJobServer(options), "spark", options)


def _require_answer(what: str, given: str, places: Sequence[str]) -> None:
    """One must answer, of those that are places: Flink's ``[auto]`` is Beam's to judge."""
    failures = []
    for place in places:
        try:
            parts = urlsplit(place)
            host, port = parts.hostname, parts.port
        except ValueError:
            return
        if host is None or port is None:
            return
        reason = why_silent(host, port)
        if not reason:
            return
        failures.append(f"{host}, port {port}: {reason}")
    raise ClusterError(
        f"{what} must be reachable. Nothing answers at {'; '.join(failures)} ({given}). Start it, "
        f"or correct the option; {_INSTEAD}."
    )


def _require_job_server(server: JavaJarJobServer, name: str, options: PipelineOptions) -> None:
    """Java, and the program that it is to run, which Beam downloads where it is not there yet."""
    settings = options.view_as(JobServerOptions)
    java = settings.job_server_java_launcher
    if shutil.which(java) is None:
        raise ClusterError(
            f"Beam's job server needs Java: there is no program {java}. Install it, name it with "
            "--job_server_java_launcher, or give --job_endpoint of a job server that runs; "
            f"{_INSTEAD}."
        )
    try:
        server.local_jar(server.path_to_jar(), settings.jar_cache_dir)
    except (OSError, RuntimeError, ValueError) as error:
        raise ClusterError(
            f"Beam's job server must be there or be downloaded: {brief(error)}. Give "
            f"--{name}_job_server_jar, or --job_endpoint of a job server that runs; {_INSTEAD}."
        ) from error
