"""Scores of a classification."""

from __future__ import annotations

from typing import Any

import numpy as np

from astromer.finetuning.label_map import LabelMap


def classification_scores(
    true: np.ndarray, predicted: np.ndarray, label_map: LabelMap
) -> dict[str, Any]:
    """Accuracy, macro-F1, the confusion matrix and the scores of each class.

    Args:
        true, predicted: int64 [num_curves], indices of classes.
        label_map: the classes.

    Returns:
        JSON-able: "accuracy"; "macro_f1", over the classes that occur in ``true``;
        "confusion", counts with a row for each true class; "classes", for each name its
        "precision", "recall", "f1" and "support".
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    index = np.arange(len(label_map))
    columns = precision_recall_fscore_support(true, predicted, labels=index, zero_division=0)
    precision, recall, f1, support = columns
    classes = {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i, name in enumerate(label_map.names)
    }
    return {
        "accuracy": float(np.mean(true == predicted)),
        "macro_f1": float(np.mean(f1[support > 0])),
        "confusion": confusion_matrix(true, predicted, labels=index).tolist(),
        "classes": classes,
    }
