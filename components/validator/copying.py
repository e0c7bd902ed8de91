"""Copies records, leaving some out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from astromer.system.storage.trees import copy_file

_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


def copy_accepted(files: Sequence[Path], folder: Path, rejected: set[int]) -> None:
    """Copies record files, keeping names and order; a file that loses nothing stays as it is.

    Args:
        files: gzip-compressed TFRecord files.
        folder: made if missing.
        rejected: positions, counted over all files, of records to leave out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    position = 0
    for file in files:
        if not rejected:
            copy_file(file, folder / file.name)
            continue
        records = tf.data.TFRecordDataset(str(file), "GZIP")
        count = int(records.reduce(0, lambda total, _: total + 1))
        positions = range(position, position + count)
        position += count
        if rejected.isdisjoint(positions):
            copy_file(file, folder / file.name)
            continue
        with tf.io.TFRecordWriter(str(folder / file.name), _OPTIONS) as writer:
            for number, record in zip(positions, records.as_numpy_iterator(), strict=True):
                if number not in rejected:
                    writer.write(record)
