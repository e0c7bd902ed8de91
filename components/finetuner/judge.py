"""The component that asks a classifier about the test split and blesses it, or not."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from astromer.finetuning.encoder_sources import RANDOM
from astromer.finetuning.labelled_data import Dataset
from astromer.finetuning.served_classifier import served_scores
from astromer.finetuning.study_report import RESULTS_FILE
from astromer.finetuning.trials import Trial
from astromer.records.fold import SPLITS
from astromer.records.reader import read_light_curves
from astromer.serving.load_check import check_servable
from astromer.system.errors import ModelError
from astromer.system.storage import as_path
from components import split_files
from components.evaluator.component import METRICS_FILE, write_blessing
from components.finetuner.component import CHOSEN_FILE

_JUDGED = "macro_f1"
"""On the test split; the one number that classifiers compete on."""


def classifier_objections(
    served: Mapping[str, Any],
    chosen: Trial,
    results: Sequence[Mapping[str, Any]],
    majority: Mapping[str, Any],
    bless_over: str,
) -> list[str]:
    """Reasons not to push a classifier; none means it is blessed.

    Args:
        served: its scores on the test split, from the answers of its SavedModel.
        chosen: how it was made.
        results: of all cells.
        majority: scores of the most frequent class.
        bless_over: "random" asks for more than a random encoder with the same shots, encoder mode,
            head and light curves (seed); "majority" for more than the most frequent class.
    """
    if not math.isfinite(served[_JUDGED]):
        return [f"{_JUDGED} is {served[_JUDGED]}, not a finite number"]
    rivals = {"the most frequent class": majority}
    if bless_over == RANDOM:
        alike = replace(chosen, source=RANDOM)
        found = [result for result in results if Trial.of(result) == alike]
        if not found:
            return ["there is no random encoder to compare with: add --baselines random"]
        rivals["a random encoder"] = found[0]
    return [
        f"{_JUDGED} {served[_JUDGED]:.3f} does not exceed that of {name}, {rival[_JUDGED]:.3f}"
        for name, rival in rivals.items()
        if not served[_JUDGED] > rival[_JUDGED]
    ]


@component
def ClassifierJudge(
    examples: InputArtifact[standard_artifacts.Examples],
    model: InputArtifact[standard_artifacts.Model],
    results: InputArtifact[standard_artifacts.ModelEvaluation],
    evaluation: OutputArtifact[standard_artifacts.ModelEvaluation],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    bless_over: Parameter[str],
    code_fingerprint: Parameter[str],
):
    """Scores what the SavedModel answers; blesses what is servable and beats its baseline.

    Args:
        examples: with the split ``test``.
        model: the classifier to judge.
        results: of the Finetuner, with the baselines' scores.
        evaluation: output; scores as properties and in ``metrics.json``.
        blessing: output; file BLESSED or NOT_BLESSED, and why not in ``reasons``.
        bless_over: "random" or "majority"; see :mod:`components.finetuner.judge`.
        code_fingerprint: of the code that judges, for the cache.
    """
    curves = {split: read_light_curves(split_files(examples, split)) for split in SPLITS}
    directory = as_path(path_utils.serving_model_path(model.uri))
    found = json.loads((as_path(results.uri) / RESULTS_FILE).read_text())
    dataset = Dataset.of(curves, found["study"]["min_test_curves"])
    chosen = Trial(**json.loads((as_path(results.uri) / CHOSEN_FILE).read_text()))
    reasons = []
    scores = {}
    try:
        check_servable(directory, dataset.curves["test"])
        scores = served_scores(directory, dataset)
        reasons += classifier_objections(
            scores, chosen, found["cells"], found["majority"], bless_over
        )
    except ModelError as error:
        reasons.append(str(error))
    content = {"served": scores, "cell": asdict(chosen), "bless_over": bless_over}
    (as_path(evaluation.uri) / METRICS_FILE).write_text(json.dumps(content, indent=1))
    for name in ("macro_f1", "accuracy"):
        if name in scores:
            evaluation.set_float_custom_property(name, scores[name])
    write_blessing(blessing, model, None, reasons)
