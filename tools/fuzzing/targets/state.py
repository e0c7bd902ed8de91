"""The file that a training goes on from: its members' bytes, shapes and types."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from astromer.training.state import EpochHistory, Progress, StateFile
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, allowed, require

_NAMES = (
    *("progress.json.npy", "history.npy", "model/0.npy", "model/1.npy", "optimizer/0.npy"),
    *("x.npy", "a/b/c"),
)
_TYPES = ("<f4", "<f8", "<i8", "|b1", "|O", "<U9", "|S3", ">f4", "<M8[s]", "|V4", "<c8")
_SHAPES = ((), (0,), (2,), (1, 3), (10**12,), (-1,), (2**31, 2**31), (10**9, 0), (1,) * 40)


def check(data: bytes, folder: Path) -> None:
    """A state comes back as progress and arrays, or the file is refused."""
    choices = Choices(data)
    state = StateFile(folder)
    plain = choices.truth()
    state.path.write_bytes(choices.rest() if plain else _archive(choices))
    found = allowed(lambda: state.restore("f"), state.path)
    if found is not None:
        progress, groups = found
        require(progress.fingerprint == "f", "another run's state was taken")
        total = sum(array.nbytes for members in groups.values() for array in members)
        require(total <= state.path.stat().st_size, "more was read than the file has")
        state.save(progress, groups)
        require(state.restore("f") is not None, "what was saved cannot be restored")


def _archive(choices: Choices) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for _ in range(1 + choices.below(4)):
            name = choices.one_of(_NAMES)
            member = zipfile.ZipInfo(name)
            member.compress_type = choices.one_of((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            archive.writestr(member, _member(name, choices))
    found = bytearray(sink.getvalue())
    for _ in range(choices.below(4)):  # the directory lies
        place = len(found) - 1 - choices.below(200)
        if place > 0:
            found[place] = choices.below(256)
    return bytes(found)


def _member(name: str, choices: Choices) -> bytes:
    if name.startswith("progress"):
        if choices.truth():
            text = choices.take(choices.below(200)).decode("utf-8", errors="replace")
        else:
            text = json.dumps({**_progress(), **_changes(choices)})
        sink = io.BytesIO()
        np.save(sink, np.array(text))
        return sink.getvalue()
    kind, shape = choices.one_of(_TYPES), choices.one_of(_SHAPES)
    header = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}"
    if choices.below(8) == 7:
        header = choices.text()
    padded = header.ljust(118) + "\n"
    length = len(padded.encode()).to_bytes(2, "little")
    return b"\x93NUMPY\x01\x00" + length + padded.encode() + choices.take(choices.below(64))


def _progress() -> dict[str, Any]:
    return json.loads(Progress("f").arrays()["progress.json"].item())


def _changes(choices: Choices) -> dict[str, object]:
    values: tuple[object, ...] = (
        *(None, -1, "x", [], [1.0], {}, 1e400, 2**70),
        *([[0, 1]], [{"rmse": "x"}], [{"rmse": 1.0}], ["rmse"], True),
    )
    names = (
        "epoch",
        "step",
        "sums",
        "best",
        "history",
        "resumed",
        "fingerprint",
        "libraries",
        "other",
    )
    return {choices.one_of(names): choices.one_of(values) for _ in range(choices.below(3))}


def seeds() -> Iterable[bytes]:
    """A file as it is written, and plans for others."""
    sink = io.BytesIO()
    arrays: dict[str, Any] = {"model/0": np.ones((2, 3), np.float32), "optimizer/0": np.zeros(2)}
    history = EpochHistory([{"epoch": 0, "rmse": 1.0}])
    np.savez(sink, **arrays, **Progress("f", epoch=1, history=history).arrays())
    return [b"\1" + sink.getvalue(), b"\0", b"\0\1\0\0\0\0\1\0\0\0", b"\0" + bytes(range(64))]


TARGET = Target("state", "state.npz, from which a training goes on", check, seeds)
