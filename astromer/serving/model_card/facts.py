"""The facts of a model card, as plain JSON types: what a run knows and the model's files do not."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from astromer.serving.saved_model import (
    CLASSIFIER,
    EXTRA,
    WEIGHTS,
    model_kind,
    read_config,
    read_facts,
)
from astromer.system.errors import DataAnomalyError
from astromer.system.storage import as_path
from astromer.system.untrusted_files import DAMAGED, read_arrays
from astromer.validation.profile import QUANTITIES, SplitProfile

FRACTIONS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Of the quantiles of each split."""

_STUDY = ("test_curves", "majority", "notes", "verdicts")
_TRIAL = ("source", "encoder", "shots", "seed", "macro_f1", "accuracy")


@dataclass(frozen=True)
class Evidence:
    """Results of a run, as plain JSON types; an empty one is unknown.

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
        study: ``results.json`` of :mod:`astromer.finetuning.study_report`, for a classifier.
    """

    fold: str = ""
    data_fingerprint: str = ""
    missing_errors: str = ""
    error_fill: float = 0.0
    processing: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    study: Mapping[str, Any] = field(default_factory=dict)


def gather_facts(version: Path, number: str, evidence: Evidence, name: str) -> dict[str, Any]:
    """Everything in the card that is not in the model's config.

    Args:
        version: a copy of the model.
        number: the version that it will be.
        evidence: of the run.
        name: of the served model.

    Raises:
        ModelError: the model has no config.
    """
    config = read_config(version)
    study = {key: evidence.study[key] for key in _STUDY if key in evidence.study}
    if trials := evidence.study.get("cells"):
        study["cells"] = [{key: trial[key] for key in _TRIAL} for trial in trials]
    return {
        "name": name,
        "version": number,
        "kind": model_kind(config),
        "pushed": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "parameters": _count_parameters(version),
        **({"encoder": _encoder(config)} if model_kind(config) == CLASSIFIER else {}),
        "data": _data_facts(evidence, config),
        "evaluation": dict(evidence.evaluation),
        "study": study,
    }


def _count_parameters(version: Path) -> int | None:
    """Numbers in the weights; None if they cannot be read."""
    try:
        return sum(array.size for array in read_arrays(version / EXTRA / WEIGHTS).values())
    except DAMAGED:
        return None


def _encoder(config: Mapping[str, Any]) -> dict[str, Any]:
    """The pushed encoder of a classifier, with the surveys of its own card if it can be read."""
    metadata = config.get("metadata", {})
    path = metadata.get("pushed_encoder") or metadata.get("encoder", {}).get("path")
    if not path:
        return {}
    surveys = read_facts(as_path(path)).get("data", {}).get("surveys", [])
    return {"version": as_path(path).name, "path": path, "surveys": surveys}


def _data_facts(evidence: Evidence, config: Mapping[str, Any]) -> dict[str, Any]:
    """Names of the surveys, and counts and quantiles of each split.

    The config may hold the profile of the training split, in case that there was no validation.
    """
    profiles = dict(evidence.validation.get("profiles") or {})
    stored = config.get("metadata", {}).get("train_profile")
    if stored and "train" not in profiles:
        profiles = {"train": stored, **profiles}
    rejected = evidence.validation.get("rejected", {})
    rules = evidence.validation.get("rules", {})
    findings = evidence.validation.get("findings", {})
    filled = evidence.missing_errors not in ("", "refuse")
    return {
        "surveys": _survey_names(evidence),
        "fold": PurePosixPath(evidence.fold).name,
        "fingerprint": evidence.data_fingerprint,
        "missing_errors": evidence.missing_errors,
        "error_fill": evidence.error_fill if filled else None,
        "processing": dict(evidence.processing),
        "splits": {
            split: {**_split_facts(profile), "rejected": rejected.get(split)}
            for split, profile in profiles.items()
        },
        "findings": {
            rule: {"objects": count, "severity": rules.get(rule, {}).get("severity", "")}
            for rule, count in findings.items()
            if count
        },
    }


def _survey_names(evidence: Evidence) -> list[str]:
    """Names of the surveys: of the folder that holds ``fold_N``, or of those that were merged."""
    merged = [name for name, done in evidence.processing.items() if isinstance(done, Mapping)]
    if merged:
        return merged
    fold = PurePosixPath(evidence.fold)
    name = fold.parent.name if fold.name.startswith("fold_") else fold.name
    return [name] if name else []


def _split_facts(profile: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: profile[name] for name in ("curves", "observations", "classes", "bands")}
    try:
        histograms = SplitProfile.from_dict(profile)
    except (DataAnomalyError, KeyError):
        return {**counts, "quantiles": {}}  # a version with other bins counted it
    quantiles = {q.name: histograms.quantiles(q.name, FRACTIONS) for q in QUANTITIES}
    return {
        **counts,
        "quantiles": {
            name: {f"{fraction:g}": value for fraction, value in zip(FRACTIONS, values)}
            for name, values in quantiles.items()
            if all(map(math.isfinite, values))
        },
    }
