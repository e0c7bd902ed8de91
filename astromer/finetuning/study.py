"""The comparison of classifiers: every method on the same light curves; the best is exported."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from astromer.finetuning.classifier import Classifier, make_classifier
from astromer.finetuning.classifier_training import EncoderTraining, train_head
from astromer.finetuning.config import FinetuneConfig, StudyConfig
from astromer.finetuning.encoder_sources import (
    FOREST,
    PRETRAINED,
    PUBLIC,
    RANDOM,
    EncoderSource,
    PretrainedSource,
    PublicSource,
    RandomSource,
)
from astromer.finetuning.forest import classical_features, classify_with_forest
from astromer.finetuning.labelled_data import Dataset, classification_scores
from astromer.finetuning.served_classifier import export_classifier
from astromer.finetuning.study_report import write_outputs
from astromer.finetuning.trials import StudyFeatures, Trial, TrialStore, embed_dataset
from astromer.light_curves import LightCurves
from astromer.records.config import LightCurveRules
from astromer.records.fold import SPLITS
from astromer.serving.config import ServingConfig
from astromer.serving.load_check import check_servable
from astromer.system.atomic import replace_folder
from astromer.system.config import to_dict
from astromer.system.environment import COMPUTING, library_releases
from astromer.system.errors import ModelError
from astromer.system.terminal import progress_bar

Result = dict[str, Any]


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
    dataset = Dataset.of(curves)
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


def best_trial(results: Sequence[Mapping[str, Any]]) -> Trial:
    """The pre-trained encoder with the most shots that does best on its validation draw.

    Macro-F1 decides, then the loss. The test split is not used: its scores would be biased.
    """
    candidates = [result for result in results if result["source"] == PRETRAINED]
    most = max((r["shots"] for r in candidates), key=lambda shots: shots or float("inf"))
    best = max(
        (r for r in candidates if r["shots"] == most),
        key=lambda r: (r["validation_macro_f1"], -r["validation_loss"]),
    )
    return Trial.of(best)


class Study:
    """Trains and scores every trial of a study, and resumes a study that was stopped.

    Validation light curves are drawn like the training ones, with at most as many per class: with
    20 labels to train on nobody has hundreds to validate with. The test split is always whole.

    Args:
        dataset: labelled light curves.
        sources: encoders to compare; the first is the pre-trained one.
        study, config: the settings; "forest" among the baselines adds the random forest.
        folder: of finished trials and embeddings.
        say: prints a line.
        progress: whether to show progress bars.
    """

    def __init__(
        self,
        dataset: Dataset,
        sources: Sequence[EncoderSource],
        study: StudyConfig,
        config: FinetuneConfig,
        folder: Path,
        *,
        say: Callable[[str], None] = lambda text: None,
        progress: bool = False,
    ) -> None:
        self.dataset = dataset
        self.sources = {source.name: source for source in sources}
        self.study, self.config = study, config
        self.folder = folder
        self._say, self._progress = say, progress
        self._features: tuple[tuple[str, int], StudyFeatures] | None = None

    def trials(self) -> list[Trial]:
        """All trials, in the order in which they run."""
        methods = [(name, self._modes(name)) for name in self.sources]
        if FOREST in self.study.baselines:
            methods.append((FOREST, ("none",)))
        return [
            Trial(source, mode, shots, seed)
            for source, modes in methods
            for seed in dict.fromkeys(self.study.seeds)
            for shots in dict.fromkeys(self.study.shots)
            for mode in modes
        ]

    def run(self) -> list[Result]:
        """Runs every trial that is not finished; returns the results of all."""
        trials = self.trials()
        results = []
        finished = sum(self.store(trial).load(trial) is not None for trial in trials)
        if finished:
            self._say(f"{finished} of {len(trials)} trials are finished already in {self.folder}")
        bar = progress_bar(
            total=len(trials), desc="trials", unit="trial", disable=not self._progress
        )
        with bar:
            for trial in trials:
                results.append(self.store(trial).load(trial) or self._run(trial))
                bar.set_postfix_str(trial.name, refresh=False)
                bar.update()
        return results

    def store(self, trial: Trial) -> TrialStore:
        """The store of a trial's result."""
        settings: dict[str, Any] = {
            "data": self.dataset.fingerprint,
            "libraries": library_releases((*COMPUTING, "scikit-learn", "light-curve")),
            **to_dict(self.config),
        }
        if trial.source != FOREST:
            settings["encoder"] = self.sources[trial.source].fingerprint
        return TrialStore(self.folder / "cells", settings)

    def rebuild(self, trial: Trial) -> Classifier:
        """The classifier of a finished trial of the pre-trained encoder.

        Raises:
            ModelError: its weights are missing or damaged.
        """
        store = self.store(trial)
        weights = store.load_weights(trial)
        if weights is None:
            raise ModelError(
                f"A finished trial must have its weights. Received: {trial.name} in {store.folder},"
                " which has none that can be read. Delete that folder and run the command again."
            )
        model = self.sources[PRETRAINED].make(trial.seed)
        classifier = make_classifier(model, self.config, self.dataset.label_map, trial.seed)
        classifier.set_weights(weights, str(store.folder))
        return classifier

    def _modes(self, source: str) -> tuple[str, ...]:
        modes = tuple(dict.fromkeys(self.study.encoder))
        if source == PUBLIC and not self.config.public_trainable:
            modes = tuple(mode for mode in modes if mode == "frozen")
        return modes

    def _run(self, trial: Trial) -> Result:
        weights = None
        if trial.source == FOREST:
            started = time.monotonic()
            result = self._grow_forest(trial)
        else:
            features = self._embedded(self.sources[trial.source], trial.seed)
            started = time.monotonic()
            result, weights = self._train(trial, features)
        result["seconds"] = round(time.monotonic() - started, 2)
        self.store(trial).save(trial, result, weights)
        self._say(
            f"{trial.name}: macro-F1 {result['macro_f1']:.3f}, accuracy {result['accuracy']:.3f} "
            f"({result['seconds']:.0f} s)"
        )
        return result

    def _embedded(self, source: EncoderSource, seed: int) -> StudyFeatures:
        """The features of an encoder; those of the last call are kept in memory."""
        key = (source.name, seed if source.per_seed else -1)
        if self._features is None or self._features[0] != key:
            features = embed_dataset(
                source.make(seed),
                self.config.head,
                self.dataset,
                self._needed((seed,) if source.per_seed else self.study.seeds),
                self.folder / "embeddings",
                f"{source.fingerprint} {seed if source.per_seed else ''}",
                desc=f"encode ({source.name})",
                progress=self._progress,
            )
            self._features = (key, features)
        return self._features[1]

    def _needed(self, seeds: Sequence[int]) -> dict[str, np.ndarray]:
        """Positions by split of all light curves that some draw takes."""
        draws = [(shots, seed) for seed in seeds for shots in self.study.shots]
        return {
            split: np.unique(np.concatenate([self.dataset.draw(split, *draw) for draw in draws]))
            for split in SPLITS
        }

    def _train(
        self, trial: Trial, features: StudyFeatures
    ) -> tuple[Result, dict[str, np.ndarray] | None]:
        dataset, config = self.dataset, self.config
        drawn = {split: dataset.draw(split, trial.shots, trial.seed) for split in SPLITS}
        labelled = {split: features.at(split, drawn[split]) for split in SPLITS}
        model = self.sources[trial.source].make(trial.seed)
        classifier = make_classifier(model, config, dataset.label_map, trial.seed)
        head = classifier.head
        stopping = train_head(head, labelled["train"], labelled["validation"], config, trial.seed)
        facts: Result = {}
        if trial.encoder == "trainable":
            curves = {split: dataset.labelled(split, drawn[split]) for split in SPLITS}
            training = EncoderTraining(
                classifier, curves["train"], curves["validation"], config, trial.seed
            )
            facts = {"frozen_validation_loss": stopping.best, "epochs_allowed": training.epochs}
            stopping = training.run(progress=self._progress)
            logits = {
                split: classifier.logits(curves[split].curves) for split in ("validation", "test")
            }
        else:
            logits = {
                split: head(labelled[split].features).numpy() for split in ("validation", "test")
            }
        result = self._scored(trial, drawn["train"], logits["test"].argmax(axis=1))
        validation = classification_scores(
            labelled["validation"].classes,
            logits["validation"].argmax(axis=1),
            dataset.label_map,
        )
        result |= {
            **facts,
            "best_epoch": stopping.best_epoch,
            "validation_loss": stopping.best,
            "validation_macro_f1": validation["macro_f1"],
            "validation_curves": len(drawn["validation"]),
            "layer_weights": [float(weight) for weight in head.layer_weights],
        }
        return result, classifier.get_weights() if trial.source == PRETRAINED else None

    def _grow_forest(self, trial: Trial) -> Result:
        drawn = self.dataset.draw("train", trial.shots, trial.seed)
        train, test = self._classical_features
        rows = np.searchsorted(self._needed(self.study.seeds)["train"], drawn)
        classes = self.dataset.classes["train"][drawn]
        predicted = classify_with_forest(train[rows], classes, test, self.config, trial.seed)
        return self._scored(trial, drawn, predicted)

    @cached_property
    def _classical_features(self) -> tuple[np.ndarray, np.ndarray]:
        curves = self.dataset.curves
        train = curves["train"].take(self._needed(self.study.seeds)["train"])
        return (
            classical_features(train, progress=self._progress),
            classical_features(curves["test"], progress=self._progress),
        )

    def _scored(self, trial: Trial, drawn: np.ndarray, predicted: np.ndarray) -> Result:
        dataset = self.dataset
        classes = dataset.classes["train"][drawn]
        counts = np.bincount(classes, minlength=len(dataset.label_map)).tolist()
        return {
            **asdict(trial),
            "train_curves": len(classes),
            "train_per_class": dict(zip(dataset.label_map.names, counts)),
            **classification_scores(dataset.classes["test"], predicted, dataset.label_map),
        }
