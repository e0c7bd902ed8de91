"""The comparison of classifiers: every method on the same light curves."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from astromer.encoder.pooling import pooling_of
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.classifier import AnyHead, Classifier, make_classifier, num_beside
from astromer.finetuning.classifier_training import (
    EncoderTraining,
    LabelledFeatures,
    train_head,
    validation_loss,
)
from astromer.finetuning.config import TREES, FinetuneConfig, StudyConfig
from astromer.finetuning.encoder_sources import (
    FOREST,
    PRETRAINED,
    PUBLIC,
    EncoderSource,
)
from astromer.finetuning.forest import classical_features, classify_with_forest
from astromer.finetuning.forest_head import ForestHead
from astromer.finetuning.labelled_data import Dataset, classification_scores
from astromer.finetuning.trials import (
    StudyFeatures,
    StudySearch,
    Trial,
    TrialStore,
    embed_dataset,
    search_dataset,
)
from astromer.records.fold import SPLITS
from astromer.system.config import to_dict
from astromer.system.environment import COMPUTING, library_releases
from astromer.system.errors import ModelError
from astromer.system.terminal import progress_bar

_Result = dict[str, Any]


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
        methods = [(name, self._ways(name)) for name in self.sources]
        if FOREST in self.study.baselines:
            methods.append((FOREST, (("none", TREES),)))
        return [
            Trial(source, mode, shots, seed, head)
            for source, ways in methods
            for seed in dict.fromkeys(self.study.seeds)
            for shots in dict.fromkeys(self.study.shots)
            for mode, head in ways
        ]

    def run(self) -> list[_Result]:
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
        model = self.sources[PRETRAINED].make(trial.seed)
        if trial.head.startswith(TREES):
            # Growing it again takes seconds; a large forest takes 20 MB.
            drawn = self.dataset.draw("train", trial.shots, trial.seed)
            embedded = self._embedded(self.sources[PRETRAINED], trial.seed)
            beside = num_beside(trial.head, model.encoder.folds)
            return self._forest_on(trial, model, embedded.at("train", drawn, beside))
        store = self.store(trial)
        weights = store.load_weights(trial)
        if weights is None:
            raise ModelError(
                f"A finished trial must have its weights. Received: {trial.name} in {store.folder},"
                " which has none that can be read. Delete that folder and run the command again."
            )
        classifier = make_classifier(
            model, self.config, self.dataset.label_map, trial.seed, trial.head
        )
        classifier.set_weights(weights, str(store.folder))
        return classifier

    def _ways(self, source: str) -> tuple[tuple[str, str], ...]:
        """Encoder mode and head of each way to use a source."""
        modes = tuple(dict.fromkeys(self.study.encoder))
        if source == PUBLIC and not self.config.public_trainable:
            modes = tuple(mode for mode in modes if mode == "frozen")
        return tuple(
            (mode, head)
            for mode in modes
            for head in self._heads
            if mode == "frozen" or not head.startswith(TREES)
        )

    @cached_property
    def _heads(self) -> tuple[str, ...]:
        return self.study.heads_of(self._encoder.folds)

    @cached_property
    def _encoder(self) -> Any:
        """The pre-trained encoder."""
        return self.sources[PRETRAINED].make(0).encoder

    def _run(self, trial: Trial) -> _Result:
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
            model = source.make(seed)
            features = embed_dataset(
                model,
                pooling_of(self.config.head, model.encoder),
                self.dataset,
                self._needed((seed,) if source.per_seed else self.study.seeds),
                self.folder / "embeddings",
                f"{source.fingerprint} {seed if source.per_seed else ''}",
                self._search if self._searches else None,
                desc=f"encode ({source.name})",
                progress=self._progress,
            )
            self._features = (key, features)
        return self._features[1]

    @property
    def _searches(self) -> bool:
        """Whether anything reads periods."""
        return any(num_beside(head, self._encoder.folds) for head in self._heads)

    @cached_property
    def _search(self) -> StudySearch:
        return search_dataset(
            self.dataset,
            self._needed(self.study.seeds),
            self.folder / "embeddings",
            self._encoder.periodogram,
            progress=self._progress,
        )

    def _needed(self, seeds: Sequence[int]) -> dict[str, np.ndarray]:
        """Positions by split of all light curves that some draw takes."""
        draws = [(shots, seed) for seed in seeds for shots in self.study.shots]
        return {
            split: np.unique(np.concatenate([self.dataset.draw(split, *draw) for draw in draws]))
            for split in SPLITS
        }

    def _train(
        self, trial: Trial, features: StudyFeatures
    ) -> tuple[_Result, dict[str, np.ndarray] | None]:
        dataset, config = self.dataset, self.config
        drawn = {split: dataset.draw(split, trial.shots, trial.seed) for split in SPLITS}
        model = self.sources[trial.source].make(trial.seed)
        beside = num_beside(trial.head, model.encoder.folds)
        labelled = {split: features.at(split, drawn[split], beside) for split in SPLITS}
        if trial.head.startswith(TREES):
            classifier = self._forest_on(trial, model, labelled["train"])
            return self._judged(trial, drawn, labelled, _logits(classifier.head, labelled)), None
        classifier = make_classifier(model, config, dataset.label_map, trial.seed, trial.head)
        head = classifier.head
        stopping = train_head(head, labelled["train"], labelled["validation"], config, trial.seed)
        facts: _Result = {}
        if trial.encoder == "trainable":
            curves = {
                split: dataclasses.replace(
                    dataset.labelled(split, drawn[split]),
                    periods=(
                        features.search.periods_at(split, drawn[split])
                        if features.search is not None
                        else None
                    ),
                )
                for split in SPLITS
            }
            training = EncoderTraining(
                classifier, curves["train"], curves["validation"], config, trial.seed
            )
            facts = {"frozen_validation_loss": stopping.best, "epochs_allowed": training.epochs}
            stopping = training.run(progress=self._progress)
            logits = {
                split: classifier.logits(curves[split].curves, curves[split].periods)
                for split in ("validation", "test")
            }
        else:
            logits = _logits(head, labelled)
        result = {
            **self._judged(trial, drawn, labelled, logits),
            **facts,
            "best_epoch": stopping.best_epoch,
            "validation_loss": stopping.best,
            "layer_weights": [float(weight) for weight in head.layer_weights],
        }
        return result, classifier.get_weights() if trial.source == PRETRAINED else None

    def _forest_on(self, trial: Trial, model: Reconstructor, train: LabelledFeatures) -> Classifier:
        label_map = self.dataset.label_map
        forest = ForestHead.grow(
            train.features, train.beside, train.classes, len(label_map), self.config, trial.seed
        )
        pooling = pooling_of(self.config.head, model.encoder)
        return Classifier(model, forest, pooling, label_map)

    def _judged(
        self,
        trial: Trial,
        drawn: Mapping[str, np.ndarray],
        labelled: Mapping[str, LabelledFeatures],
        logits: Mapping[str, np.ndarray],
    ) -> _Result:
        """Scores on validation, which choose, and on test, which do not."""
        classes = labelled["validation"].classes
        validation = classification_scores(
            classes, logits["validation"].argmax(axis=1), self.dataset.label_map
        )
        return {
            **self._scored(trial, drawn["train"], logits["test"].argmax(axis=1)),
            "validation_loss": validation_loss(logits["validation"], classes),
            "validation_macro_f1": validation["macro_f1"],
            "validation_curves": len(classes),
        }

    def _grow_forest(self, trial: Trial) -> _Result:
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

    def _scored(self, trial: Trial, drawn: np.ndarray, predicted: np.ndarray) -> _Result:
        dataset = self.dataset
        classes = dataset.classes["train"][drawn]
        counts = np.bincount(classes, minlength=len(dataset.label_map)).tolist()
        return {
            **asdict(trial),
            "train_curves": len(classes),
            "train_per_class": dict(zip(dataset.label_map.names, counts)),
            **classification_scores(dataset.classes["test"], predicted, dataset.label_map),
        }


def _logits(head: AnyHead, labelled: Mapping[str, LabelledFeatures]) -> dict[str, np.ndarray]:
    return {
        split: head(labelled[split].features, labelled[split].beside).numpy()
        for split in ("validation", "test")
    }
