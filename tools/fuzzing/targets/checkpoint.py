"""Public weights: zips and the files of TensorFlow's checkpoints."""

from __future__ import annotations

import functools
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from astromer.encoder.checkpoint import opened, read_settings, read_weights
from astromer.encoder.public_weights import load_public
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, allowed, require

_NAMES = (
    "weights.index",
    "weights.data-00000-of-00001",
    "conf.json",
    "config.toml",
    "../../x.index",
)


def check(data: bytes, folder: Path) -> None:
    """Weights are read, or the file is refused; nothing is written beside it."""
    choices = Choices(data)
    inner = folder / "in"
    inner.mkdir()
    path = inner / "w.zip"
    kind = choices.below(3)
    if kind == 0:
        path.write_bytes(choices.rest())
    elif kind == 1:
        path.write_bytes(_zip(choices))
    else:
        path = inner / "folder"
        path.mkdir()
        for name, content in _changed(choices).items():
            (path / name).write_bytes(content)
    before = sorted(folder.rglob("*"))
    with_settings = allowed(lambda: _read(path), path, "tmp")
    if with_settings is not None:
        require(isinstance(with_settings[0], dict), "settings that are none")
    allowed(lambda: load_public(path))
    require(sorted(folder.rglob("*")) == before, "something was written")


def _read(path: Path) -> tuple[object, object]:
    with opened(path) as prefix:
        return read_settings(prefix), read_weights(prefix)


def _changed(choices: Choices) -> dict[str, bytes]:
    files = dict(_original())
    for _ in range(1 + choices.below(6)):
        name = choices.one_of(sorted(files))
        content = bytearray(files[name])
        place = choices.below(max(len(content), 1))
        content[place : place + 1] = choices.take(choices.below(4))
        files[name] = bytes(content)
    return files


def _zip(choices: Choices) -> bytes:
    sink = io.BytesIO()
    files = {**_changed(choices), "config.toml": b"heads = 2", "../../x.index": b"x"}
    with zipfile.ZipFile(sink, "w") as archive:
        for _ in range(1 + choices.below(5)):
            name = choices.one_of(_NAMES)
            member = zipfile.ZipInfo(name)
            member.external_attr = choices.one_of((0, 0o120777 << 16))  # a link
            member.compress_type = choices.one_of((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            archive.writestr(member, files.get(name, b""))
    found = bytearray(sink.getvalue())
    for _ in range(choices.below(3)):
        found[choices.below(len(found))] = choices.below(256)
    return bytes(found)


@functools.cache
def _original() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "weights"
        variables = {
            "encoder": {"inp_transform": {"kernel": tf.zeros([1, 8])}},
            "other": {"bias": tf.zeros([3])},
        }
        tf.train.Checkpoint(**_tracked(variables)).write(str(prefix))
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return {**files, "conf.json": json.dumps({"heads": 2, "m_alpha": 1}).encode()}


def _tracked(values: dict) -> dict:
    found = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found[name] = tf.train.Checkpoint(**_tracked(value))
        else:
            found[name] = tf.Variable(value)
    return found


def seeds() -> Iterable[bytes]:
    """A zip as it is published, and plans for others."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in _original().items():
            archive.writestr(f"public/{name}", content)
    return [b"\0" + sink.getvalue(), b"\1" + bytes(range(30)), b"\2", b"\2\1\2\x40\1\xff"]


TARGET = Target("checkpoint", "public weights: zip, index, data and settings", check, seeds)
