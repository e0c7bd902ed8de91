"""Pusher executor; TFX's own copies file by file into the folder that a server watches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from astromer.finetuning.study_report import RESULTS_FILE
from astromer.serving.model_card.card import Evidence, write_card
from astromer.serving.saved_model import EXTRA, WEIGHTS, read_config
from astromer.serving.versions.folder import WITHDRAWN, newest, withdrawn
from astromer.serving.versions.promotion import push_version
from astromer.system.environment import MACHINE
from astromer.system.errors import ModelError
from astromer.system.storage import as_path, copy_tree, same_content
from astromer.training.report import COURSE
from astromer.validation.output import SUMMARY_FILE
from components.evaluator.component import METRICS_FILE
from components.provenance import (
    DATA_FINGERPRINT,
    ERROR_FILL,
    FOLD_PATH,
    MISSING_ERRORS,
    PROCESSING,
)


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
        [pushed] = output_dict[standard_component_specs.PUSHED_MODEL_KEY]
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

            version = push_version(model, folder, describe)
        copy_tree(model, as_path(pushed.uri))  # the archive that PushedModel promises
        self._MarkPushed(pushed, pushed_destination=str(version), pushed_version=version.name)
        # So that the run can say so.
        pushed.set_int_custom_property(WITHDRAWN, int(version.parent != folder))


EXAMPLES, ANOMALIES, EVALUATION, STUDY = "examples", "anomalies", "evaluation", "results"
"""Inputs of the Pusher that tell about the model; each may be absent."""


def gather(input_dict: dict[str, list[types.Artifact]]) -> Evidence:
    """Reads what there is; what is absent stays unknown."""
    examples = _single(input_dict, EXAMPLES)
    known: dict[str, Any] = {}
    if examples is not None:
        known = {
            "fold": examples.get_string_custom_property(FOLD_PATH),
            "data_fingerprint": examples.get_string_custom_property(DATA_FINGERPRINT),
            "missing_errors": examples.get_string_custom_property(MISSING_ERRORS),
            "error_fill": examples.get_float_custom_property(ERROR_FILL),
            "processing": json.loads(examples.get_string_custom_property(PROCESSING) or "{}"),
        }
    return Evidence(
        **known,
        validation=_json(_single(input_dict, ANOMALIES), SUMMARY_FILE),
        evaluation=_json(_single(input_dict, EVALUATION), METRICS_FILE),
        study=_json(_single(input_dict, STUDY), RESULTS_FILE),
    )


def _single(input_dict: dict[str, list[types.Artifact]], key: str) -> types.Artifact | None:
    found = input_dict.get(key)
    return found[0] if found else None


def _json(artifact: types.Artifact | None, name: str) -> dict[str, Any]:
    if artifact is None:
        return {}
    file = as_path(artifact.uri) / name
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


# Facts about how a model came about that differ although the model does not.
_CIRCUMSTANCES = ("summary", "git_revision", COURSE, MACHINE)


def pushed_as(model: Path, folder: Path) -> Path | None:
    """The version that is the same model: the newest in service, or one that was withdrawn."""
    for version in (newest(folder), *reversed(withdrawn(folder))):
        if version is not None and same_model(model, version):
            return version
    return None


def same_model(one: Path, other: Path) -> bool:
    """Whether two folders hold the same weights, made by the same settings, data and code.

    The graph files are not compared: TensorFlow numbers its functions anew in each process.
    """
    try:
        if _essence(one) != _essence(other):
            return False
        return same_content(one / EXTRA / WEIGHTS, other / EXTRA / WEIGHTS)
    except (ModelError, OSError):
        return False


def _essence(model: Path) -> dict[str, Any]:
    config = read_config(model)
    metadata = config.get("metadata", {})
    config["metadata"] = {k: v for k, v in metadata.items() if k not in _CIRCUMSTANCES}
    return config
