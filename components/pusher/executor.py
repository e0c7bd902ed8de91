"""Pusher executor; TFX's own copies file by file into the folder that a server watches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from astromer.serving.model_card import write_card
from astromer.serving.versions.folder import WITHDRAWN
from astromer.serving.versions.publishing import publish
from astromer.system.storage import as_path
from astromer.system.storage.trees import copy_tree
from components.pusher.evidence import gather
from components.pusher.identity import pushed_as


class Executor(executor.Executor):
    """Publishes under a new version number, with a model card.

    Nothing is published if the newest version is the same model, or if it was withdrawn: what
    someone took out of service does not come back by giving the same command again.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it is blessed, and marks the artifact accordingly."""
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination
        )
        model, folder = (
            as_path(self.GetModelPath(input_dict)),
            as_path(destination.filesystem.base_directory),
        )
        version = pushed_as(model, folder)
        if version is None:
            evidence = gather(input_dict)

            def describe(copy: Path, number: str) -> None:
                write_card(copy, number, evidence, folder.name)

            version = publish(model, folder, describe)
        copy_tree(model, as_path(pushed.uri))  # the archive that PushedModel promises
        self._MarkPushed(pushed, pushed_destination=str(version), pushed_version=version.name)
        # So that the run can say so.
        pushed.set_int_custom_property(WITHDRAWN, int(version.parent != folder))
