"""What light curves a model was made from, in numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from astromer.serving.model_card.evidence import Evidence
from astromer.system.errors import DataAnomalyError
from astromer.validation.profile import QUANTITIES, SplitProfile

FRACTIONS = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Of the quantiles that are kept."""


def data_facts(evidence: Evidence, config: Mapping[str, Any]) -> dict[str, Any]:
    """Names of the surveys, and counts and quantiles of each split.

    Args:
        evidence: of the run.
        config: of the model, which may hold the profile of its training split.
    """
    profiles = dict(evidence.validation.get("profiles") or {})
    stored = config.get("metadata", {}).get("train_profile")
    if stored and "train" not in profiles:
        profiles = {"train": stored, **profiles}
    rejected = evidence.validation.get("rejected", {})
    rules = evidence.validation.get("rules", {})
    findings = evidence.validation.get("findings", {})
    return {
        "surveys": survey_names(evidence),
        "fold": PurePosixPath(evidence.fold).name,
        "fingerprint": evidence.data_fingerprint,
        "missing_errors": evidence.missing_errors,
        "error_fill": evidence.error_fill
        if evidence.missing_errors not in ("", "refuse")
        else None,
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


def survey_names(evidence: Evidence) -> list[str]:
    """Names of the surveys: of the folder that holds ``fold_N``, or of those that were merged."""
    merged = [name for name, done in evidence.processing.items() if isinstance(done, Mapping)]
    if merged:
        return merged
    place = PurePosixPath(evidence.fold)
    name = place.parent.name if place.name.startswith("fold_") else place.name
    return [name] if name else []


def _split_facts(profile: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: profile[name] for name in ("curves", "observations", "classes", "bands")}
    try:
        found = SplitProfile.from_dict(profile)
    except (DataAnomalyError, KeyError):
        return {**counts, "quantiles": {}}  # counted in other bins, by another version
    quantiles = {q.name: found.quantiles(q.name, FRACTIONS) for q in QUANTITIES}
    return {
        **counts,
        "quantiles": {
            name: {f"{fraction:g}": value for fraction, value in zip(FRACTIONS, values)}
            for name, values in quantiles.items()
            if all(map(math.isfinite, values))
        },
    }
