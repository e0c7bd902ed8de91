"""The whole task: compare, write the table, export the best classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.finetuning.classifier import Classifier, make_head, set_weights
from astromer.finetuning.config import FinetuneConfig, StudyConfig
from astromer.finetuning.encoder_sources import (
    PRETRAINED,
    PUBLIC,
    RANDOM,
    PretrainedSource,
    PublicSource,
    RandomSource,
    Source,
)
from astromer.finetuning.labelled_data import Dataset
from astromer.finetuning.served_classifier import export_classifier
from astromer.finetuning.study import Study
from astromer.finetuning.study_report import write_outputs
from astromer.finetuning.trials import Cell
from astromer.light_curves import LightCurves
from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.serving.load_check import check_servable
from astromer.system.atomic import replace_folder
from astromer.system.config import to_dict
from astromer.system.errors import ModelError


def best_cell(results: Sequence[Mapping[str, Any]]) -> Cell:
    """The pre-trained encoder with the most shots that does best on its validation draw.

    Macro-F1 decides, then the loss. The test split has no say: it could not judge fairly any more.
    """
    candidates = [result for result in results if result["source"] == PRETRAINED]
    most = max((r["shots"] for r in candidates), key=lambda shots: shots or float("inf"))
    best = max(
        (r for r in candidates if r["shots"] == most),
        key=lambda r: (r["validation_macro_f1"], -r["validation_loss"]),
    )
    return Cell.of(best)


def rebuild(study: Study, cell: Cell) -> Classifier:
    """The classifier of a finished cell.

    Raises:
        ModelError: its weights are not there any more.
    """
    weights = study.store(cell).load_weights(cell)
    folder = study.store(cell).folder
    if weights is None:
        raise ModelError(
            f"A finished cell must have its weights. {cell.name} in {folder} has none that can be "
            "read. Delete that folder and give the same command again."
        )
    model = study.sources[PRETRAINED].make(cell.seed)
    head = make_head(model, study.config, len(study.dataset.label_map), cell.seed)
    classifier = Classifier(model, head, study.config.head, study.dataset.label_map)
    set_weights(classifier, weights, str(folder))
    return classifier


@dataclass(frozen=True)
class Classification:
    """What came of it.

    Attributes:
        results: one for each cell.
        cell: the one whose classifier was exported.
        dataset: the labelled light curves.
        text: table, verdicts and scores by class, for a terminal.
    """

    results: list[dict[str, Any]]
    cell: Cell
    dataset: Dataset
    text: str


def classify(
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
        study_config, config: the knobs.
        output: folder of the tables and of ``classifier``, the SavedModel.
        work: folder of what is finished; ``output/work`` by default. A call with the same folder
            goes on where an earlier one stopped.
        public_weights: zip of public weights, for the baseline "public".
        rules: which observations the served model uses.
        serving: how much it takes in one request.
        facts: JSON-able, for ``results.json`` and the lineage of the SavedModel.
        say: prints a line.
        progress: whether to show progress bars.

    Raises:
        DataAnomalyError: the light curves have no usable classes.
        TrainingError: a loss is not finite.
        ModelError: weights cannot be read, or the classifier could not be served.
    """
    dataset = Dataset.of(curves)
    sources: list[Source] = [source]
    if RANDOM in study_config.baselines:
        sources.append(RandomSource(source))
    if PUBLIC in study_config.baselines and public_weights:
        sources.append(PublicSource(public_weights))
    study = Study(
        dataset,
        sources,
        study_config,
        config,
        work or output / "work",
        say=say,
        progress=progress,
    )
    results = study.run()
    settings = {"study": to_dict(study_config), "finetune": to_dict(config)}
    lineage = {
        **(facts or {}),
        "encoder": source.lineage(),
        "data_fingerprint": dataset.fingerprint,
        **settings,
    }
    text = write_outputs(results, dataset, output, lineage)
    cell = best_cell(results)
    scores = next(r for r in results if Cell.of(r) == cell)
    with replace_folder(output / "classifier") as partial:
        metadata = {**lineage, "cell": cell.to_dict(), "summary": scores}
        export_classifier(rebuild(study, cell), partial, metadata, rules, serving)
        check_servable(partial, dataset.curves["test"])
    return Classification(results, cell, dataset, text)
