"""What lies beside a pushed model: its config, weights and label map."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from astromer.serving.export import load_model
from astromer.serving.saved_model import CONFIG, EXTRA, WEIGHTS, read_config
from tools.fuzzing.choices import Choices
from tools.fuzzing.models import a_model_folder
from tools.fuzzing.target import Target, allowed, require

_VALUES: tuple[Any, ...] = (
    *(None, True, "", "x", -1, 0, 1, 3, 8, 2**31, 2**70, 10**9, 0.5, -0.5, 1e308, float("nan")),
    *([], {}, [1], {"a": 1}, [[[]]]),
)


def check(data: bytes, folder: Path) -> None:
    """A model is rebuilt from what lies there, or refused; config and weights fit each other."""
    extra = folder / "1" / EXTRA
    extra.mkdir(parents=True)
    choices = Choices(data)
    kind = choices.below(3)
    config = json.loads(_original(CONFIG))
    (extra / WEIGHTS).write_bytes(_original(WEIGHTS))
    if kind == 0:
        (extra / CONFIG).write_bytes(choices.rest())
    else:
        for _ in range(1 + choices.below(3)):
            parts = (config, *(p for p in config.values() if isinstance(p, dict)))
            part: dict[str, Any] = choices.one_of(parts)
            part[choices.one_of((*sorted(part), "other"))] = deepcopy(choices.one_of(_VALUES))
        (extra / CONFIG).write_text(json.dumps(config))
    if kind == 2:
        weights = bytearray(_original(WEIGHTS))
        for _ in range(1 + choices.below(8)):
            weights[choices.below(len(weights))] = choices.below(256)
        (extra / WEIGHTS).write_bytes(weights)
    settings = allowed(lambda: read_config(folder / "1"), folder)
    model = allowed(lambda: load_model(folder / "1"), folder)
    if model is not None:
        require(settings is not None, "a model without a config was loaded")
        require(all(np.isfinite(np.asarray(v)).all() for v in model.variables), "not finite")


@functools.cache
def _original(name: str) -> bytes:
    return (a_model_folder() / EXTRA / name).read_bytes()


def seeds() -> Iterable[bytes]:
    """The config as it is, and plans for others."""
    return [
        b"\0" + _original(CONFIG),
        b"\0[]",
        b"\1",
        b"\1\2\1\2\3\1\2\3",
        b"\2" + bytes(range(40)),
    ]


TARGET = Target("model", "config.json and weights.npz of a pushed model", check, seeds)
