"""What a run's artifacts say about a model, for its card."""

from __future__ import annotations

import json
from typing import Any

from tfx import types

from astromer.finetuning.study_report import RESULTS_FILE
from astromer.serving.model_card import Evidence
from astromer.system.storage import as_path
from astromer.validation.output import SUMMARY_FILE
from components.evaluator.component import METRICS_FILE, TABLE_FILE
from components.example_gen.executor import (
    DATA_FINGERPRINT,
    ERROR_FILL,
    FOLD,
    MISSING_ERRORS,
    PROCESSING,
)

EXAMPLES, ANOMALIES, EVALUATION, RESULTS = "examples", "anomalies", "evaluation", "results"
"""Inputs of the Pusher that tell about the model; each may be absent."""


def gather(input_dict: dict[str, list[types.Artifact]]) -> Evidence:
    """Reads what there is; what is absent stays unknown."""
    examples = _single(input_dict, EXAMPLES)
    evaluation = _single(input_dict, EVALUATION)
    known: dict[str, Any] = {}
    if examples is not None:
        known = {
            "fold": examples.get_string_custom_property(FOLD),
            "data_fingerprint": examples.get_string_custom_property(DATA_FINGERPRINT),
            "missing_errors": examples.get_string_custom_property(MISSING_ERRORS),
            "error_fill": examples.get_float_custom_property(ERROR_FILL),
            "processing": json.loads(examples.get_string_custom_property(PROCESSING) or "{}"),
        }
    return Evidence(
        **known,
        validation=_json(_single(input_dict, ANOMALIES), SUMMARY_FILE),
        evaluation=_json(evaluation, METRICS_FILE),
        table=_text(evaluation, TABLE_FILE),
        study=_json(_single(input_dict, RESULTS), RESULTS_FILE),
    )


def _single(input_dict: dict[str, list[types.Artifact]], key: str) -> types.Artifact | None:
    found = input_dict.get(key)
    return found[0] if found else None


def _text(artifact: types.Artifact | None, name: str) -> str:
    if artifact is None:
        return ""
    file = as_path(artifact.uri) / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _json(artifact: types.Artifact | None, name: str) -> dict[str, Any]:
    return json.loads(_text(artifact, name) or "{}")
