"""Compiles the pipeline for Vertex AI Pipelines, and submits it if asked to.

python pipeline/vertex_runner.py --data gs://BUCKET/FOLD --output gs://BUCKET/FOLDER
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

_HERE = Path(__file__).resolve().parent
# Started as a file, Python looks for modules in this folder first, where ``pipeline`` is a
# module instead of the package around it.
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p).resolve() != _HERE)]

from astromer.commands.cli import run_program
from astromer.system.errors import ClusterError, UsageError
from astromer.system.text import brief
from pipeline.cluster.cluster_options import ClusterRun, need, read_run
from pipeline.cluster.submission import Submit, compile_and_submit
from pipeline_config import VertexConfig

if TYPE_CHECKING:
    from pipeline.cluster.cluster_runner import Compiled

_LOGGER = "google.cloud.aiplatform.pipeline_jobs"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def parse(arguments: list[str] | None = None) -> tuple[ClusterRun, VertexConfig]:
    """What the command line asks for.

    Raises:
        UsageError: for a value that cannot work, or one that a submission lacks.
    """
    run, vertex = read_run("vertex", "Vertex AI", VertexConfig, arguments)
    need(run, vertex, "project", "region")
    if run.cluster.submit:
        for flag, place in (("--output", run.config.output), ("--data", run.config.data)):
            if not place.startswith("gs://"):
                raise UsageError(
                    f"{flag} must be a folder of a bucket, gs://BUCKET/FOLDER, for --submit: the "
                    f"steps run on machines of Google's. Received: {place}."
                )
        if "/" not in run.cluster.image:
            raise UsageError(
                "--image must name a registry that Vertex AI reaches, for --submit. Received: "
                f"{run.cluster.image}."
            )
    return run, vertex


def main(arguments: list[str] | None = None) -> int:
    """Compiles, and submits if asked to.

    Raises:
        AstromerError: of the kind that fits, for everything that a user can correct.
    """
    run, vertex = parse(arguments)
    return compile_and_submit(run, "VERTEX", lambda: _connect(run, vertex))


def _connect(run: ClusterRun, vertex: VertexConfig) -> Submit:
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE], quota_project_id=vertex.project)
    except GoogleAuthError as error:
        raise ClusterError(
            "no credentials for Google Cloud were found. Log in with gcloud auth "
            "application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to the key file of a "
            "service account."
        ) from error

    def submit(compiled: Compiled) -> str:
        from google.api_core.exceptions import GoogleAPIError

        job = make_job(run, vertex, compiled, credentials)
        account = run.cluster.service_account or None
        logging.getLogger(_LOGGER).addFilter(_without_traceback)
        try:
            if run.cluster.schedule:
                schedule = job.create_schedule(
                    cron=run.cluster.schedule, display_name=run.config.name, service_account=account
                )
                return f"scheduled     {schedule.resource_name}"
            job.submit(service_account=account)
            return f"submitted     {job._dashboard_uri()}"
        except (GoogleAPIError, GoogleAuthError, ValueError) as error:
            raise ClusterError(
                f"Vertex AI in project {vertex.project}, region {vertex.region}, refuses: "
                f"{brief(error)}. Correct it and run the same command again."
            ) from error

    return submit


def _without_traceback(record: logging.LogRecord) -> bool:
    """Logs in one line what Google's library can do without, such as a check of the bucket."""
    if record.exc_info and record.exc_info[1]:
        record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]}", ()
        record.exc_info = None
    return True


def make_job(run: ClusterRun, vertex: VertexConfig, compiled: Compiled, credentials):
    """The PipelineJob, not submitted yet.

    Args:
        run: what the command line asks for; ``run.spec`` has been written.
        vertex: where it is to run.
        compiled: the pipeline.
        credentials: of google.auth.
    """
    from google.cloud import aiplatform

    return aiplatform.PipelineJob(
        display_name=run.config.name,
        template_path=str(run.spec),
        pipeline_root=f"{run.config.output}/pipeline",
        parameter_values=compiled.values,
        project=vertex.project,
        location=vertex.region,
        credentials=credentials,
    )


if __name__ == "__main__":
    run_program(main)
