"""The component that measures a model on the test split and blesses it, or not."""

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import Artifact, standard_artifacts
from tfx.utils import path_utils

from astromer.evaluation.config import EvaluationConfig
from astromer.evaluation.evaluation import Evaluation, evaluate
from astromer.light_curves import LightCurves
from astromer.records.reader import read_light_curves
from astromer.serving.export import load_model
from astromer.serving.load_check import check_servable
from astromer.system.errors import ModelError
from astromer.system.storage import as_path
from astromer.windows.config import MaskingConfig
from components import split_files

_LOG = logging.getLogger(__name__)
_JUDGED = "hidden_rmse"
"""Error at hidden steps [mag] on the test split; the one number that models compete on."""
_MEAN = "mean_hidden_rmse"
"""That of the window's mean, which takes no training."""
_TRAIN = "train longer (--epochs, --lr) or on more light curves; a trial is exempt with --debug"


def objections(
    metrics: Mapping[str, float],
    baseline: Mapping[str, float] | None,
    limits: EvaluationConfig,
    *,
    debug: bool = False,
) -> list[str]:
    """Reasons not to push a model; none means it is blessed.

    Args:
        metrics: of the model, see :meth:`astromer.evaluation.evaluation.Evaluation.metrics`.
        baseline: of the pushed model on the same light curves and masks, None if there is none.
        limits: fractions by which the model's error may exceed the window mean's and the
            baseline's.
        debug: whether the model is of a trial, which may be worse than the window's mean. The log
            says so where it is.
    """
    reasons = [
        f"{name} is {value}, not a finite number"
        for name, value in metrics.items()
        if "rmse" in name and not math.isfinite(value)
    ]
    if reasons:
        return reasons
    if worse := _worse_than("the window mean", metrics, metrics[_MEAN], limits.max_rmse_over_mean):
        if debug:
            _LOG.warning("Not held against a trial (--debug): %s", worse)
        else:
            reasons.append(f"{worse}: {_TRAIN}")
    if baseline is not None and math.isfinite(baseline[_JUDGED]):
        margin = limits.max_rmse_increase
        if worse := _worse_than("the pushed model", metrics, baseline[_JUDGED], margin):
            reasons.append(worse)
    return reasons


def _worse_than(what: str, metrics: Mapping[str, float], rmse: float, margin: float) -> str:
    """By how much the model's error exceeds another; "" where that is within the margin."""
    if metrics[_JUDGED] <= rmse * (1 + margin):
        return ""
    return (
        f"{_JUDGED} {metrics[_JUDGED]:.4f} mag exceeds {what}'s {rmse:.4f} mag by more than "
        f"{margin:.0%}"
    )


TEST_SPLIT = "test"
METRICS_FILE = "metrics.json"
SCORES_FILE = "evaluation.txt"
REASONS_FILE = "reasons.txt"


@component
def AstromerEvaluator(
    examples: InputArtifact[standard_artifacts.Examples],
    model: InputArtifact[standard_artifacts.Model],
    evaluation: OutputArtifact[standard_artifacts.ModelEvaluation],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    probed: Parameter[float],
    same: Parameter[float],
    random: Parameter[float],
    seed: Parameter[int],
    settings: Parameter[str],
    code_fingerprint: Parameter[str],
    baseline_model: InputArtifact[standard_artifacts.Model] = None,
    debug: Parameter[int] = 0,
):
    """Evaluates on the test split; blesses what is servable, finite and not worse.

    Args:
        examples: with the split ``test``.
        model: the model to judge.
        evaluation: output; metrics as properties and in ``metrics.json``, and a text table.
        blessing: output; file BLESSED or NOT_BLESSED and the properties that Pusher and the
            resolvers read. ``reasons`` says why a model was not blessed.
        probed, same, random: as in ``MaskingConfig``; what is hidden from the models.
        seed: of what is hidden.
        settings: JSON of an ``EvaluationConfig``.
        code_fingerprint: of the code that evaluates, for the cache.
        baseline_model: the model that users get so far.
        debug: 1 = the run is a trial, whose model may be worse than the window's mean; 0, as in
            pipelines compiled before there was this rule: it may not.
    """
    limits = EvaluationConfig(**json.loads(settings))
    conditions = {
        "masking": MaskingConfig(probed, same, random),
        "seed": seed,
        "batch_size": limits.batch_size,
    }
    curves = read_light_curves(split_files(examples, TEST_SPLIT), progress=True)
    reasons = []
    directory = _directory(model)
    try:
        check_servable(directory, curves)
    except ModelError as error:
        reasons.append(str(error))
    scores = _evaluate(directory, curves, conditions)
    if baseline_model is not None and baseline_model.uri == model.uri:
        baseline_model = None
    conditions["earlier"] = scores
    baseline = _evaluate_baseline(baseline_model, curves, conditions)
    reasons += objections(
        scores.metrics, baseline.metrics if baseline else None, limits, debug=bool(debug)
    )
    described = {"split": TEST_SPLIT, "curves": len(curves), "seed": seed}
    described["masking"] = {"probed": probed, "same": same, "random": random}
    _write_evaluation(evaluation, scores, baseline, described)
    write_blessing(blessing, model, baseline_model if baseline else None, reasons)


def _directory(model: Artifact) -> Path:
    return as_path(path_utils.serving_model_path(model.uri))


def _evaluate(directory: Path, curves: LightCurves, conditions: dict[str, Any]) -> Evaluation:
    return evaluate(load_model(directory), curves, progress=True, **conditions)


def _evaluate_baseline(
    model: Artifact | None, curves: LightCurves, conditions: dict[str, Any]
) -> Evaluation | None:
    if model is None:
        return None
    try:
        return _evaluate(_directory(model), curves, conditions)
    except ModelError as error:
        # A damaged old model must not keep better ones from being pushed for ever.
        _LOG.warning("The pushed model was left out of the comparison: %s", error)
        return None


def _write_evaluation(
    artifact: Artifact, scores: Evaluation, baseline: Evaluation | None, conditions: dict[str, Any]
) -> None:
    metrics = {
        "model": scores.metrics,
        "pushed_model": baseline.metrics if baseline else None,
        "groups": scores.group_metrics(),
        "conditions": conditions,
    }
    folder = as_path(artifact.uri)
    (folder / METRICS_FILE).write_text(json.dumps(metrics, indent=1))
    (folder / SCORES_FILE).write_text(scores.table(by_group=True) + "\n")
    for name, value in scores.metrics.items():
        if math.isfinite(value):
            artifact.set_float_custom_property(name, value)


def write_blessing(
    artifact: Artifact, model: Artifact, baseline: Artifact | None, reasons: list[str]
) -> None:
    """Writes what Pusher and the resolvers read: properties, and BLESSED or NOT_BLESSED."""
    folder = as_path(artifact.uri)
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(not reasons))
    artifact.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if baseline is not None:
        artifact.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        artifact.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    artifact.set_string_custom_property("reasons", "; ".join(reasons))
    (folder / REASONS_FILE).write_text("".join(reason + "\n" for reason in reasons))
    # Written last: who sees it sees the rest.
    blessed = constants.NOT_BLESSED_FILE_NAME if reasons else constants.BLESSED_FILE_NAME
    (folder / blessed).touch()
