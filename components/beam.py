"""Beam where there are machines or processes to spread work over, and none where there are not.

In one process Beam costs more than it does: a pipeline of a hundred steps is built, checked and
staged for light curves that are counted in less time.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DirectOptions,
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
from tfx.dsl.components.base import base_beam_executor
from tfx.utils import name_utils, telemetry_utils

from astromer.system.cluster import connection_error
from astromer.system.errors import ClusterError
from astromer.system.text import brief
from components.provenance import ROOT

_DIRECT = ("direct", "directrunner")


def runs_in_process(beam_pipeline_args: Sequence[str]) -> bool:
    """Whether Beam with these arguments would work in this process, in one thread."""
    options = PipelineOptions(list(beam_pipeline_args))
    direct = options.view_as(DirectOptions)
    runner = options.view_as(StandardOptions).runner or "direct"
    return (
        runner.lower() in _DIRECT
        and direct.direct_running_mode == "in_memory"
        and direct.direct_num_workers == 1
    )


class InProcess(base_beam_executor.BaseBeamExecutor):
    """A Beam executor that knows whether it needs Beam.

    Attributes:
        can_use_beam: False for executors that only TFX wants to be Beam executors.
        in_process: True where Beam would run in this process: do the work without it.
    """

    can_use_beam: ClassVar = True

    def __init__(self, context: Any = None):
        arguments = list(context.beam_pipeline_args or ()) if context is not None else []
        self.in_process = (
            not self.can_use_beam
            or context is None
            or (context.make_beam_pipeline_fn is None and runs_in_process(arguments))
        )
        if context is not None:
            # With any, TFX packs its source, and workers would try to install it. They have it:
            # without it they could not import this package either.
            context = copy.copy(context)
            context.beam_pipeline_args = []
        super().__init__(context)
        if not self.in_process:
            self._beam_pipeline_args = [*arguments, *_labels(type(self))]
            _let_workers_import()

    def _make_beam_pipeline(self) -> beam.Pipeline:
        """Of TFX.

        Raises:
            ClusterError: the cluster that it is for cannot be reached.
        """
        require_cluster(self._beam_pipeline_args or ())
        return super()._make_beam_pipeline()


def _labels(executor: type) -> list[str]:
    """By which Google Cloud tells whose work it was, as TFX writes them."""
    with telemetry_utils.scoped_labels(
        {telemetry_utils.LABEL_TFX_EXECUTOR: name_utils.get_full_name(executor)}
    ):
        return telemetry_utils.make_beam_labels_args()


def _let_workers_import() -> None:
    """Processes on this machine inherit the environment, not this one's list of folders."""
    places = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, places)))


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
        reason = connection_error(host, port)
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
