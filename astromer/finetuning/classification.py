"""Classifiers on a pushed encoder: compared with baselines, and the best one exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astromer.finetuning.config import FinetuneConfig, StudyConfig
from astromer.finetuning.encoder_sources import (
    PUBLIC,
    RANDOM,
    EncoderSource,
    PretrainedSource,
    PublicSource,
    RandomSource,
)
from astromer.finetuning.labelled_data import Dataset
from astromer.finetuning.served_classifier import export_classifier
from astromer.finetuning.study import Study
from astromer.finetuning.study_report import write_outputs
from astromer.finetuning.trials import Trial, best_trial
from astromer.light_curves import LightCurves
from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.serving.load_check import check_servable
from astromer.system.atomic import replace_folder
from astromer.system.config import to_dict


@dataclass(frozen=True)
class Classification:
    """The outcome of :func:`fine_tune_classifiers`.

    Attributes:
        trial: the one whose classifier was exported.
        text: the table, conclusions and scores by class, for a terminal.
    """

    trial: Trial
    text: str


def fine_tune_classifiers(
    source: PretrainedSource,
    curves: Mapping[str, LightCurves],
    study_config: StudyConfig,
    config: FinetuneConfig,
    output: Path,
    *,
    work: Path | None = None,
    public_weights: str | None = None,
    rules: LightCurveRules = LightCurveRules(),
    serving: ServingConfig = ServingConfig(),
    facts: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: bool = False,
) -> Classification:
    """Fine-tunes classifiers on light curves, scores them beside baselines and exports the best.

    Args:
        source: the pushed encoder.
        curves: by split, with classes.
        study_config, config: the settings.
        output: folder of the tables and of ``classifier``, the SavedModel.
        work: folder of finished trials; ``output/work`` by default. A call with the same folder
            resumes an earlier one.
        public_weights: zip of public weights, for the baseline "public".
        rules: which observations the served model uses.
        serving: its limits on light curves and requests.
        facts: JSON-able, for ``results.json`` and the lineage of the SavedModel.
        say: prints a line.
        progress: whether to show progress bars.

    Raises:
        DataAnomalyError: the light curves have no usable classes.
        TrainingError: a loss is not finite.
        ModelError: weights cannot be read, or the classifier could not be served.
    """
    dataset = Dataset.of(curves, study_config.min_test_curves)
    sources: list[EncoderSource] = [source]
    if RANDOM in study_config.baselines:
        sources.append(RandomSource(source))
    if PUBLIC in study_config.baselines and public_weights:
        sources.append(PublicSource(public_weights))
    folder = work or output / "work"
    study = Study(dataset, sources, study_config, config, folder, say=say, progress=progress)
    results = study.run()
    lineage = {
        **(facts or {}),
        "encoder": source.lineage(),
        "data_fingerprint": dataset.fingerprint,
        "study": to_dict(study_config),
        "finetune": to_dict(config),
    }
    text = write_outputs(results, dataset, output, lineage)
    trial = best_trial(results)
    scores = next(result for result in results if Trial.of(result) == trial)
    with replace_folder(output / "classifier") as partial:
        metadata = {**lineage, "cell": asdict(trial), "summary": scores}
        export_classifier(study.rebuild(trial), partial, metadata, rules, serving)
        check_servable(partial, dataset.curves["test"])
    return Classification(trial, text)
