"""What a run knows about a model that the model's own files do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """Findings of a run, as plain JSON types; what is empty is not known.

    Attributes:
        fold: path of the fold folder that was ingested.
        data_fingerprint: of the light curves that were used.
        missing_errors, error_fill: policy for missing errors, and its constant [mag].
        processing: what was done to the values of the survey, see
            :class:`astromer.records.survey_config.Processing`; by survey where several were merged.
        validation: ``summary.json`` of :mod:`astromer.validation.output`.
        evaluation: scores on the test split: of an encoder "model", "groups" and "conditions"
            (:class:`~astromer.evaluation.evaluation.Evaluation`), of a classifier "served" and
            "cell".
        table: the scores as text, for an encoder.
        study: ``results.json`` of :mod:`astromer.finetuning.study_report`, for a classifier.
    """

    fold: str = ""
    data_fingerprint: str = ""
    missing_errors: str = ""
    error_fill: float = 0.0
    processing: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    table: str = ""
    study: Mapping[str, Any] = field(default_factory=dict)
