"""Compiles the pipeline for the open-source Kubeflow Pipelines, and submits it if asked to.

python pipeline/kubeflow_runner.py --data gs://BUCKET/FOLD --output gs://BUCKET/FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

_HERE = Path(__file__).resolve().parent
# Started as a file, Python looks for modules in this folder first, where ``pipeline`` is a
# module instead of the package around it.
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p).resolve() != _HERE)]

from astromer.commands.cli import run_program
from astromer.system.errors import ClusterError, UsageError
from astromer.system.text import without_secrets
from pipeline.cluster.cluster_options import ClusterRun, need, read_run
from pipeline.cluster.submission import Submit, compile_and_submit
from pipeline_config import KubeflowConfig

if TYPE_CHECKING:
    from pipeline.cluster.cluster_runner import Compiled

_PATIENCE = 10
"""Seconds that the API may take to answer that it is there."""


def parse(arguments: list[str] | None = None) -> tuple[ClusterRun, KubeflowConfig]:
    """What the command line asks for.

    Raises:
        UsageError: for a value that cannot work, or one that a submission lacks.
    """
    run, kubeflow = read_run("kubeflow", "Kubeflow Pipelines", KubeflowConfig, arguments)
    need(run, kubeflow, "endpoint")
    return run, kubeflow


def main(arguments: list[str] | None = None) -> int:
    """Compiles, and submits if asked to.

    Raises:
        AstromerError: of the kind that fits, for everything that a user can correct.
    """
    run, kubeflow = parse(arguments)
    return compile_and_submit(run, "KUBEFLOW", lambda: _connect(run, kubeflow))


def _connect(run: ClusterRun, kubeflow: KubeflowConfig) -> Submit:
    token = _token(kubeflow.token_file)
    import kfp
    import kfp_server_api
    from kfp_server_api.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    def refused(error: Exception) -> ClusterError:
        what = str(getattr(error, "reason", None) or type(error).__name__).rpartition(">: ")[2]
        return ClusterError(
            f"Kubeflow Pipelines at {kubeflow.endpoint} cannot be used: {what[:300]}. Check "
            "the address (kubectl port-forward makes one for this machine), --namespace and "
            "--token-file."
        )

    settings = kfp_server_api.Configuration(host=kubeflow.endpoint.rstrip("/"))
    if token:
        settings.api_key = {"authorization": token}
        settings.api_key_prefix = {"authorization": "Bearer"}
    try:
        # Once and at once; the client asks five times, with pauses.
        api = kfp_server_api.HealthzServiceApi(kfp_server_api.ApiClient(settings))
        api.get_healthz(_request_timeout=_PATIENCE)
        client = kfp.Client(
            host=kubeflow.endpoint,
            namespace=kubeflow.namespace or "kubeflow",
            existing_token=token,
        )
    except (ApiException, HTTPError, OSError) as error:
        raise refused(error) from error

    def submit(compiled: Compiled) -> str:
        try:
            return _start(client, run, kubeflow, compiled)
        except (ApiException, HTTPError, OSError) as error:
            raise refused(error) from error

    return submit


def _start(client: Any, run: ClusterRun, kubeflow: KubeflowConfig, compiled: Compiled) -> str:
    namespace = kubeflow.namespace or None
    endpoint = without_secrets(kubeflow.endpoint)
    experiment = client.create_experiment(kubeflow.experiment, namespace=namespace)
    common = {
        "experiment_id": experiment.experiment_id,
        "job_name": run.config.name,
        "pipeline_package_path": str(run.spec),
        "params": compiled.values,
        "pipeline_root": f"{run.config.output}/pipeline",
        "service_account": run.cluster.service_account or None,
    }
    if run.cluster.schedule:
        job = client.create_recurring_run(cron_expression=run.cluster.schedule, **common)
        return f"scheduled     {endpoint}/#/recurringrun/details/{job.recurring_run_id}"
    started = client.run_pipeline(**common)
    return f"submitted     {endpoint}/#/runs/details/{started.run_id}"


def _token(file: str) -> str | None:
    if not file:
        return None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--token-file must be a file with the access token. Received: {file}, which cannot be "
            "read."
        ) from error


if __name__ == "__main__":
    run_program(main)
