"""Indexes that would end the process: TensorFlow does not get to see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import tensor_bundle_pb2

from astromer.encoder.checkpoint import _entries, check_index, read_weights
from astromer.system.errors import ModelError
from tests.astromer.encoder.checkpoint_tables import write_index

KEY = b"w/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    values = {name: tf.Variable(tf.ones([1, 8])) for name in ("w", "wide", "x")}
    tf.train.Checkpoint(**values).write(str(tmp_path / "weights"))
    return tmp_path / "weights"


def change(prefix: Path, changed: Callable[[Any], object]) -> None:
    index = prefix.with_name("weights.index")
    entries = dict(_entries(index.read_bytes()))
    entry = tensor_bundle_pb2.BundleEntryProto.FromString(entries[KEY])
    changed(entry)
    write_index(index, {**entries, KEY: entry.SerializeToString()})


def with_lengths(*lengths: int) -> Callable[[Any], None]:
    def changed(entry: Any) -> None:
        del entry.shape.dim[:]
        for length in lengths:
            entry.shape.dim.add().size = length

    return changed


def with_field(**fields: int) -> Callable[[Any], None]:
    return lambda entry: [setattr(entry, name, value) for name, value in fields.items()]


def test_what_tensorflow_writes_passes_and_so_does_what_the_helper_writes(prefix: Path) -> None:
    check_index(prefix)
    change(prefix, lambda entry: None)
    np.testing.assert_array_equal(read_weights(prefix)["w"], np.ones([1, 8]))


@pytest.mark.parametrize(
    "changed",
    [
        with_lengths(-5, 8),  # these four end the process: Check failed
        with_lengths(2**62, 2**62, 2**62),
        with_lengths(*[1] * 300),
        with_field(dtype=99),
        lambda entry: (with_lengths(10**10)(entry), with_field(dtype=7)(entry)),  # and this one
        with_lengths(10**12),
        lambda entry: (with_lengths(10**12)(entry), with_field(size=4 * 10**12)(entry)),
        with_field(offset=2**62),
        with_field(offset=-8),
        with_field(size=-8),
        with_field(shard_id=77),
        with_field(dtype=20),
    ],
)
def test_an_entry_that_lies_is_refused(prefix: Path, changed: Callable[[Any], None]) -> None:
    change(prefix, changed)
    with pytest.raises(ModelError, match=r"weights\.index is not: 'w/.*copy it again"):
        read_weights(prefix)


def test_damaged_indexes_are_refused(prefix: Path) -> None:
    index = prefix.with_name("weights.index")
    content = index.read_bytes()
    for damaged in (
        b"",
        content[:-1],
        content[:10] + b"\xff" + content[11:],
        content[:-48] + b"\xff" * 40 + content[-8:],
    ):
        index.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"weights\.index is not"):
            check_index(prefix)
    index.write_bytes(content)
    prefix.with_name("weights.data-00000-of-00001").unlink()
    with pytest.raises(ModelError, match="No such file"):
        check_index(prefix)
