"""Which of the trained classifiers is exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from astromer.finetuning.classifier import Classifier, make_head
from astromer.finetuning.results import Cell
from astromer.finetuning.sources import PRETRAINED
from astromer.finetuning.study import Study
from astromer.finetuning.weights import set_weights
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
