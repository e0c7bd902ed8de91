"""Any bytes as a record in a request to the signature ``serving_default``."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.serving.graph_input import STATUSES
from tools.fuzzing.light_curve import a_record
from tools.fuzzing.models import a_model_folder
from tools.fuzzing.target import Target, require

_SEPARATOR = b"\xff\xfe\xfd"


def check(data: bytes, folder: Path) -> None:
    """Every record gets a status; a bad one changes nothing of a good one beside it."""
    records = [a_record(12), *data.split(_SEPARATOR)]
    answer = {
        name: values.numpy()
        for name, values in _signature()(examples=tf.constant(records, tf.string)).items()
    }
    check_answer(answer, len(records))
    for name, values in _alone().items():
        require(np.allclose(answer[name][0], values[0], atol=1e-5), f"{name} of another changed")


def check_answer(answer: dict[str, np.ndarray], count: int) -> None:
    """Raises BrokenProperty unless each of so many light curves has a status and an embedding."""
    status = answer["status"]
    require(status.shape == (count,) and set(status.tolist()) <= STATUSES, f"status {status}")
    for name in ("mean", "max"):
        require(bool(np.isfinite(answer[name]).all()), f"{name} is not finite")
        require(not answer[name][status != 0].any(), f"{name} of a bad record is not zeros")
    require(bool((answer["num_observations"] >= 0).all()), "a negative number of observations")


@functools.cache
def loaded() -> Any:
    """The model, as a server has it."""
    return tf.saved_model.load(str(a_model_folder()))


def _signature() -> Any:
    return loaded().signatures["serving_default"]


@functools.cache
def _alone() -> dict[str, np.ndarray]:
    answer = _signature()(examples=tf.constant([a_record(12)], tf.string))
    return {name: values.numpy() for name, values in answer.items()}


def seeds() -> Iterable[bytes]:
    """Records of every layout."""
    from tools.fuzzing.targets.record import seeds as records

    return [b"", a_record(45), *records()]


TARGET = Target("examples", "any bytes as records of a request: serving_default", check, seeds)
