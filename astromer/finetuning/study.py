"""The comparison: every method on the same drawn light curves and the same test split."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from astromer.finetuning.classifier import Classifier, make_head, weights_of
from astromer.finetuning.classifier_training import CurvesAndClasses, EncoderTraining, train_head
from astromer.finetuning.config import FinetuneConfig, StudyConfig
from astromer.finetuning.encoder_sources import FOREST, PRETRAINED, PUBLIC, Source
from astromer.finetuning.forest import classical_features, classify_with_forest
from astromer.finetuning.labelled_data import Dataset, classification_scores
from astromer.finetuning.trials import Cell, CellStore, Embeddings, embed_dataset
from astromer.system.config import to_dict
from astromer.system.terminal import progress_bar

Result = dict[str, Any]

_SPLITS = ("train", "validation", "test")


class Study:
    """Trains and scores what a study asks for, and goes on where it was stopped.

    Validation light curves are drawn like the training ones, with at most as many per class: with
    20 labels to train on nobody has hundreds to validate with. The test split is always whole.

    Args:
        dataset: labelled light curves.
        sources: encoders to compare; the first is the pre-trained one.
        study, config: the knobs; "forest" among the baselines adds the random forest.
        folder: of finished cells and embeddings.
        say: prints a line.
        progress: whether to show progress bars.
    """

    def __init__(
        self,
        dataset: Dataset,
        sources: Sequence[Source],
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

    def cells(self) -> list[Cell]:
        """All cells, in the order in which they are worked on."""
        found = []
        for source in self.sources.values():
            for seed in dict.fromkeys(self.study.seeds):
                for shots in dict.fromkeys(self.study.shots):
                    found += [Cell(source.name, m, shots, seed) for m in self._modes(source.name)]
        if FOREST in self.study.baselines:
            found += [
                Cell(FOREST, "none", shots, seed)
                for seed in dict.fromkeys(self.study.seeds)
                for shots in dict.fromkeys(self.study.shots)
            ]
        return found

    def run(self) -> list[Result]:
        """Works on every cell that is not finished; returns the results of all."""
        cells = self.cells()
        results = []
        finished = sum(self.store(cell).load(cell) is not None for cell in cells)
        if finished:
            self._say(f"{finished} of {len(cells)} cells are finished already in {self.folder}")
        bar = progress_bar(total=len(cells), desc="cells", unit="cell", disable=not self._progress)
        with bar:
            for cell, result in self._work(cells):
                results.append(result)
                bar.set_postfix_str(cell.name, refresh=False)
                bar.update()
        return results

    def store(self, cell: Cell) -> CellStore:
        """Where a cell's result lies."""
        settings: dict[str, Any] = {"data": self.dataset.fingerprint, **to_dict(self.config)}
        if cell.source != FOREST:
            settings["encoder"] = self.sources[cell.source].fingerprint
        return CellStore(self.folder / "cells", settings)

    def _modes(self, source: str) -> tuple[str, ...]:
        modes = tuple(dict.fromkeys(self.study.encoder))
        if source == PUBLIC and not self.config.public_trainable:
            modes = tuple(mode for mode in modes if mode == "frozen")
        return modes

    def _work(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Result]]:
        embeddings: tuple[tuple[str, int], Embeddings] | None = None
        for cell in cells:
            store = self.store(cell)
            result = store.load(cell)
            if result is None:
                started = time.monotonic()
                if cell.source == FOREST:
                    result, weights = self._grow_forest(cell), None
                else:
                    source = self.sources[cell.source]
                    wanted = (cell.source, cell.seed if source.per_seed else -1)
                    if embeddings is None or embeddings[0] != wanted:
                        embeddings = (wanted, self._embed(source, cell.seed))
                        started = time.monotonic()
                    result, weights = self._train(cell, source, embeddings[1])
                result["seconds"] = round(time.monotonic() - started, 2)
                store.save(cell, result, weights)
                self._say(
                    f"{cell.name}: macro-F1 {result['macro_f1']:.3f}, accuracy "
                    f"{result['accuracy']:.3f} ({result['seconds']:.0f} s)"
                )
            yield cell, result

    def _embed(self, source: Source, seed: int) -> Embeddings:
        seeds = (seed,) if source.per_seed else self.study.seeds
        return embed_dataset(
            source.make(seed),
            self.config.head,
            self.dataset,
            self._needed(seeds),
            self.folder / "embeddings",
            f"{source.fingerprint} {seed if source.per_seed else ''}",
            desc=f"encode ({source.name})",
            progress=self._progress,
        )

    def _needed(self, seeds: Sequence[int]) -> dict[str, np.ndarray]:
        needed = {
            split: np.unique(
                np.concatenate(
                    [
                        self.dataset.draw(split, shots, seed)
                        for seed in seeds
                        for shots in self.study.shots
                    ]
                )
            )
            for split in ("train", "validation")
        }
        return {**needed, "test": np.arange(len(self.dataset.curves["test"]))}

    def _train(
        self, cell: Cell, source: Source, embeddings: Embeddings
    ) -> tuple[Result, dict[str, np.ndarray] | None]:
        dataset, config = self.dataset, self.config
        drawn = {
            split: dataset.draw(split, cell.shots, cell.seed) for split in ("train", "validation")
        }
        drawn["test"] = np.arange(len(dataset.curves["test"]))
        labelled = {split: embeddings.at(split, drawn[split]) for split in _SPLITS}
        model = source.make(cell.seed)
        head = make_head(model, config, len(dataset.label_map), cell.seed)
        classifier = Classifier(model, head, config.head, dataset.label_map)
        stopping = train_head(head, labelled["train"], labelled["validation"], config, cell.seed)
        facts: Result = {}
        if cell.encoder == "trainable":
            pairs = {
                split: CurvesAndClasses(
                    dataset.curves[split].take(drawn[split]), dataset.classes[split][drawn[split]]
                )
                for split in ("train", "validation")
            }
            training = EncoderTraining(
                classifier, pairs["train"], pairs["validation"], config, cell.seed
            )
            facts = {"frozen_validation_loss": stopping.best, "epochs_allowed": training.epochs}
            stopping = training.run(progress=self._progress)
            logits = {
                split: classifier.logits(dataset.curves[split].take(drawn[split]))
                for split in ("validation", "test")
            }
        else:
            logits = {
                split: head(labelled[split].features).numpy() for split in ("validation", "test")
            }
        result = self._scored(cell, drawn, logits["test"].argmax(axis=1))
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
        return result, weights_of(classifier) if cell.source == PRETRAINED else None

    def _grow_forest(self, cell: Cell) -> Result:
        dataset = self.dataset
        drawn = dataset.draw("train", cell.shots, cell.seed)
        train, test = self._classical_features
        rows = np.searchsorted(self._needed(self.study.seeds)["train"], drawn)
        classes = dataset.classes["train"][drawn]
        predicted = classify_with_forest(train[rows], classes, test, self.config, cell.seed)
        return self._scored(cell, {"train": drawn}, predicted)

    @cached_property
    def _classical_features(self) -> tuple[np.ndarray, np.ndarray]:
        needed = self._needed(self.study.seeds)["train"]
        train = self.dataset.curves["train"].take(needed)
        return (
            classical_features(train, progress=self._progress),
            classical_features(self.dataset.curves["test"], progress=self._progress),
        )

    def _scored(self, cell: Cell, drawn: dict[str, np.ndarray], predicted: np.ndarray) -> Result:
        dataset = self.dataset
        classes = dataset.classes["train"][drawn["train"]]
        counts = np.bincount(classes, minlength=len(dataset.label_map)).tolist()
        return {
            **cell.to_dict(),
            "train_curves": len(classes),
            "train_per_class": dict(zip(dataset.label_map.names, counts)),
            **classification_scores(dataset.classes["test"], predicted, dataset.label_map),
        }
