"""Pusher whose versions appear whole, with a model card."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs

from components import LightCurveAnomalies
from components.pusher.executor import ANOMALIES, EVALUATION, EXAMPLES, STUDY, Executor


def _optional(kind: type[types.Artifact]) -> component_spec.ChannelParameter:
    return component_spec.ChannelParameter(type=kind, optional=True)


class VersionPusherSpec(standard_component_specs.PusherSpec):
    """That of TFX's Pusher, with what a model card describes."""

    INPUTS: ClassVar = {
        **standard_component_specs.PusherSpec.INPUTS,
        EXAMPLES: _optional(standard_artifacts.Examples),
        ANOMALIES: _optional(LightCurveAnomalies),
        EVALUATION: _optional(standard_artifacts.ModelEvaluation),
        STUDY: _optional(standard_artifacts.ModelEvaluation),
    }


class VersionPusher(base_component.BaseComponent):
    """Pushes a blessed model to ``folder/<version>/``.

    Args:
        model: channel of the Model.
        blessing: channel of its ModelBlessing; without a blessing nothing is pushed.
        folder: the folder that a model server watches, an absolute path.
        examples: channel of the Examples that the model was made from.
        anomalies: channel of what their validation found.
        evaluation: channel of the model's evaluation.
        results: channel of a comparison that the model was chosen in.

    Outputs:
        pushed_model: PushedModel with the properties ``pushed``, ``pushed_destination``,
            ``pushed_version`` and ``withdrawn``.
    """

    SPEC_CLASS = VersionPusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        blessing: types.BaseChannel,
        folder: str,
        *,
        examples: types.BaseChannel | None = None,
        anomalies: types.BaseChannel | None = None,
        evaluation: types.BaseChannel | None = None,
        results: types.BaseChannel | None = None,
    ):
        destination = pusher_pb2.PushDestination.Filesystem(base_directory=folder)
        spec = VersionPusherSpec(
            model=model,
            model_blessing=blessing,
            push_destination=pusher_pb2.PushDestination(filesystem=destination),
            examples=examples,
            anomalies=anomalies,
            evaluation=evaluation,
            results=results,
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
