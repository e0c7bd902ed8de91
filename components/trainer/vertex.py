"""The Trainer as a Vertex custom job of one machine or several."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor, executor_spec
from tfx.extensions.google_cloud_ai_platform.constants import ENABLE_VERTEX_KEY, VERTEX_REGION_KEY
from tfx.extensions.google_cloud_ai_platform.trainer import executor as vertex
from tfx.types import standard_component_specs
from tfx.utils import json_utils

from components.trainer.component import AstromerTrainer
from components.trainer.executor import Executor, record_facts


class VertexExecutor(vertex.GenericExecutor):
    """Has the Trainer's executor run in a custom job and waits for its end."""

    def _GetExecutorClass(self) -> type[base_executor.BaseExecutor]:
        return Executor

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains, then copies the facts of the training to the artifacts' properties.

        Raises:
            RuntimeError: the job has failed or was cancelled.
        """
        super().Do(input_dict, output_dict, exec_properties)
        record_facts(output_dict)  # what the job's processes write on theirs is lost with them


class VertexTrainer(AstromerTrainer):
    """Pre-trains an encoder in a Vertex custom job.

    Args:
        examples: channel of Examples.
        project: of Google Cloud.
        region: where the job runs, for instance "us-central1".
        worker_pool_specs: of Vertex's CustomJobSpec: machine type, accelerators, number of replicas
            and image for the chief (first, one replica) and the workers. TFX sets their command.
        settings: the other arguments of :class:`AstromerTrainer`.

    Outputs:
        those of :class:`AstromerTrainer`.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(VertexExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        *,
        project: str,
        region: str,
        worker_pool_specs: Sequence[dict[str, Any]],
        **settings: Any,
    ):
        super().__init__(examples, **settings)
        config = json_utils.loads(self.exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        config |= {
            ENABLE_VERTEX_KEY: True,
            VERTEX_REGION_KEY: region,
            vertex.TRAINING_ARGS_KEY: {
                "project": project,
                "job_spec": {"worker_pool_specs": copy.deepcopy(list(worker_pool_specs))},
            },
        }
        self.spec.exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY] = json_utils.dumps(
            config
        )
