"""TFX's LocalDagRunner with a word about each component as it runs."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils

from astromer.reports.lineage import Lineage
from astromer.serving.versions.folder import newest
from astromer.system.storage import as_path
from components.pusher.executor import same_model
from components.reporter.executor import traced_by
from pipeline.beam_workers import tell_lost_workers
from pipeline.local.artifact_content import remember
from pipeline.local.console import Step
from pipeline.local.lineage import trace
from pipeline.local.metadata_store import register_types, settle_killed_runs
from pipeline.pipeline import PUSHER, TRAINER
from pipeline.tfx_patches import patched_tfx

_CACHED = metadata_store_pb2.Execution.CACHED


class ReportingDagRunner(LocalDagRunner):
    """Runs a pipeline in this process and reports its steps.

    Args:
        serving: the folder of pushed versions.
        on_start: called with a component's id before it runs.
        on_end: called with its :class:`Step` after it has run.
        maker: id of the component whose output ``model`` is pushed.
    """

    def __init__(
        self,
        serving: Path,
        on_start: Callable[[str], None],
        on_end: Callable[[Step], None],
        maker: str = TRAINER,
    ):
        super().__init__()
        self.serving = serving
        self.maker = maker
        self.on_start, self.on_end = on_start, on_end
        self.steps: dict[str, Step] = {}
        self._altered: list[str] = []

    def run_with_ir(
        self,
        pipeline: pipeline_pb2.Pipeline,
        run_options: pipeline_pb2.RunOptions | None = None,
    ) -> None:
        """Runs every node of the pipeline, in topological order."""
        if run_options is not None:
            raise NotImplementedError("partial runs")
        tell_lost_workers()
        run_id = datetime.datetime.now().isoformat()
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        connections = deployment.metadata_connection_config
        connection = getattr(connections, connections.WhichOneof("connection_config"))
        server = connection.WhichOneof("config") in ("postgresql", "mysql")
        with patched_tfx(lambda folder: self._altered.append(folder), server=server):
            with metadata.Metadata(connection) as handle:
                if server:
                    register_types(handle.store, pipeline)
                settle_killed_runs(
                    handle.store,
                    pipeline.pipeline_info.id,
                    pipeline.runtime_spec.pipeline_root.field_value.string_value,
                    [node.pipeline_node.node_info.id for node in pipeline.nodes],
                )
            for node in pipeline.nodes:
                self._run_node(node.pipeline_node, pipeline, deployment, connection)

    def _run_node(
        self,
        node: pipeline_pb2.PipelineNode,
        pipeline: pipeline_pb2.Pipeline,
        deployment: pipeline_pb2.PipelineNode,
        connection: metadata.ConnectionConfigType,
    ) -> None:
        name = node.node_info.id
        if name == PUSHER and not self._is_served():
            node.execution_options.caching_options.enable_cache = False
        self.on_start(name)
        started = time.monotonic()
        handle = metadata.Metadata(connection)
        part = launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=handle,
            pipeline_info=pipeline.pipeline_info,
            pipeline_runtime_spec=pipeline.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, name),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
        )
        step = Step(name)
        self._altered = step.altered
        with traced_by(lambda inputs: _trace(connection, inputs)):
            execution = part.launch()
        step.seconds = time.monotonic() - started
        if execution is not None and execution.execution_id is not None:
            with handle as store:
                _look_up(store.store, execution.execution_id, step)
        self.steps[name] = step
        self.on_end(step)

    def _is_served(self) -> bool:
        """Whether the newest version is this run's model.

        If it is not (a version was deleted, or another model was pushed since), the cache's
        word that this model has been pushed is true and useless.
        """
        model = self.steps[self.maker].outputs["model"][0]
        version = newest(self.serving)
        return version is not None and same_model(
            as_path(path_utils.serving_model_path(model.uri)), version
        )


def _trace(connection: metadata.ConnectionConfigType, inputs: Mapping[str, Artifact]) -> Lineage:
    with metadata.Metadata(connection) as handle:
        return trace(handle.store, inputs)


def _look_up(store: metadata.Metadata, execution_id: int, step: Step) -> None:
    [execution] = store.get_executions_by_id([execution_id])
    step.cached = execution.last_known_state == _CACHED
    events = [
        event
        for event in store.get_events_by_execution_ids([execution_id])
        if event.type in (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)
    ]
    made: list[Artifact] = []
    by_id = {a.id: a for a in store.get_artifacts_by_id([event.artifact_id for event in events])}
    for event in events:
        artifact = by_id[event.artifact_id]
        [kind] = store.get_artifact_types_by_id([artifact.type_id])
        found = artifact_utils.deserialize_artifact(kind, artifact)
        step.outputs.setdefault(event.path.steps[0].key, []).append(found)
        if event.type == metadata_store_pb2.Event.OUTPUT and not step.cached:
            made.append(found)
    remember(store, made)
