"""Requests of any shapes and values to the signatures that take arrays."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.serving.graph_input import STATUSES
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, require
from tools.fuzzing.targets.examples import check_answer, loaded

_PADDED = ("embed", "embed_pooled", "reconstruct", "reconstruct_drawn")


def check(data: bytes, folder: Path) -> None:
    """A request gets an answer for each light curve, or is refused as a whole."""
    choices = Choices(data)
    name = choices.one_of((*_PADDED, "embed_ragged", "encode_windows"))
    request = _request(name, choices)
    try:
        answer = loaded().signatures[name](**request)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        require(isinstance(error, tf.errors.InvalidArgumentError), f"{error}")
        return
    found = {key: value.numpy() for key, value in answer.items()}
    if name.startswith("embed"):
        check_answer(found, len(request["length"]))
    elif name.startswith("reconstruct"):
        shape = tuple(request["mjd"].shape)
        require(found["mag"].shape == found["hidden"].shape == shape, "another shape")
        require(set(found["status"].tolist()) <= STATUSES, "unknown status")


def _request(name: str, choices: Choices) -> dict[str, Any]:
    batch, steps = choices.below(4), choices.below(50)
    shape = (batch, steps) if name != "embed_ragged" else (batch * steps,)
    if name == "encode_windows":
        return {key: _array(choices, (batch, steps), dtype) for key, dtype in _windows().items()}
    request = {
        "mjd": _array(choices, shape, np.float64),
        "mag": _array(choices, shape, np.float32),
        "errmag": _array(choices, shape, np.float32),
        "length": _lengths(choices, batch, steps),
    }
    if name == "reconstruct":
        request["visible"] = _array(choices, shape, np.bool_)
    if name == "reconstruct_drawn":
        request["seed"] = tf.constant(choices.integer(), tf.int64)
        request["probed"] = tf.constant(choices.number(), tf.float32)
    return request


def _windows() -> dict[str, Any]:
    _, arguments = loaded().signatures["encode_windows"].structured_input_signature
    return {key: spec.dtype.as_numpy_dtype for key, spec in arguments.items()}


def _array(choices: Choices, shape: tuple[int, ...], dtype: Any) -> tf.Tensor:
    if choices.below(10) == 9:  # not the shape of the others
        shape = tuple(choices.below(6) for _ in shape)
    count = int(np.prod(shape))
    with np.errstate(over="ignore", invalid="ignore"):
        if choices.truth():  # plausible, then some strange ones
            values = np.resize([59000.0 + i for i in range(37)], count)
            if dtype != np.float64:
                values = np.resize([0.02, 15.0, 0.1, 0.5], count)
            for _ in range(choices.below(4)):
                if count:
                    values[choices.below(count)] = choices.number()
        else:
            values = np.resize([choices.number() for _ in range(1 + choices.below(8))], count)
        return tf.constant(values.reshape(shape).astype(dtype))


def _lengths(choices: Choices, batch: int, steps: int) -> tf.Tensor:
    lengths = np.full(batch, steps, np.int64)
    for _ in range(choices.below(3)):
        if batch:
            lengths[choices.below(batch)] = choices.one_of((0, 1, steps + 1, -1, 2**62, -(2**62)))
    return tf.constant(lengths)


def seeds() -> Iterable[bytes]:
    """Requests to each signature."""
    plain = b"\2\x28" + b"\0\1\0" * 4
    return [bytes([number]) + plain for number in range(6)] + [bytes(range(90))]


TARGET = Target("signatures", "requests to the signatures on arrays", check, seeds, longest=512)
