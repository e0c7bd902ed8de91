"""What a model hub reads of a card."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from astromer.serving.model_card.citation import license_name
from astromer.serving.saved_model import CLASSIFIER, model_kind

_TAGS = ("astronomy", "light-curves", "time-series", "variable-stars", "transformer", "tensorflow")


def front_matter(facts: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Licence, library, tags, data sets and scores, in the hubs' own words."""
    classifier = model_kind(config) == CLASSIFIER
    architecture = config.get("encoder", {}).get("architecture")
    scores = _classifier_scores(facts) if classifier else _encoder_scores(facts)
    found: dict[str, Any] = {
        "license": license_name().lower(),
        "library_name": "astromer",
        "tags": [*_TAGS, *([architecture] if architecture else []), model_kind(config)],
        "datasets": facts["data"]["surveys"],
        "metrics": list(dict.fromkeys(score["type"] for score in scores)),
    }
    if scores:
        task = (
            {"type": "time-series-classification", "name": "Classification of light curves"}
            if classifier
            else {"type": "masked-reconstruction", "name": "Reconstruction of hidden magnitudes"}
        )
        name = ", ".join(facts["data"]["surveys"]) or "unknown"
        result = {
            "task": task,
            "dataset": {"type": "light-curves", "name": name, "split": _split(facts)},
            "metrics": scores,
        }
        found["model-index"] = [
            {"name": f"{facts['name']} {facts['version']}", "results": [result]}
        ]
    return found


def _split(facts: Mapping[str, Any]) -> str:
    return facts["evaluation"].get("conditions", {}).get("split") or "test"


def _encoder_scores(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    model = facts["evaluation"].get("model") or {}
    named = (
        ("rmse", "RMSE at hidden steps [mag]", "hidden_rmse"),
        ("r_squared", "R2 at hidden steps", "hidden_r2"),
        ("rmse", "RMSE at hidden steps of the window's mean [mag]", "mean_hidden_rmse"),
        ("rmse", "RMSE at hidden steps of interpolation [mag]", "interpolation_hidden_rmse"),
    )
    return _scores((kind, name, model.get(key)) for kind, name, key in named)


def _classifier_scores(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    served = facts["evaluation"].get("served") or {}
    named = (("f1", "macro-F1", "macro_f1"), ("accuracy", "Accuracy", "accuracy"))
    return _scores((kind, name, served.get(key)) for kind, name, key in named)


def _scores(found: Any) -> list[dict[str, Any]]:
    return [
        {"type": kind, "name": name, "value": value}
        for kind, name, value in found
        if value is not None and math.isfinite(value)
    ]
