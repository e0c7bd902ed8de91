"""The records of a fold, to be cleaned and divided again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import tensorflow as tf
from google.protobuf.message import DecodeError

from astromer.records.canonical import parse_record
from astromer.records.fold import Fold
from astromer.records.reader import RecordBatch, iterate_batches
from astromer.system.errors import DataAnomalyError

_USUAL = ("newID", "ID", "Class", "Band", "Label")
_PROPER = {name.lower(): name for name in _USUAL}
_LEFT_OUT = ("length",)
"""What older records say of themselves, and cleaning may change."""


class FoldRecords:
    """Reads all splits of a fold; each record is a light curve of its own.

    Args:
        folder: a fold, of any layout in circulation.

    Raises:
        DataNotFoundError, RecordError: as :meth:`astromer.records.fold.Fold.open`.
    """

    def __init__(self, folder: Path) -> None:
        self._fold = Fold.open(folder)
        self._columns: dict[str, list] = {}
        self.count = 0

    def batches(self) -> Iterator[tuple[np.ndarray, RecordBatch]]:
        """The records, with the number of the light curve of each observation, int64.

        Light curves whose series do not fit each other come without observations.

        Raises:
            RecordError: a file is corrupt or a record is no light curve.
        """
        for files in self._fold.files.values():
            for batch in iterate_batches(files, strict=False):
                for row, record in enumerate(batch.serialized):
                    self._remember(record, batch.place(row))
                first = self.count - len(batch)
                yield np.repeat(np.arange(first, self.count), batch.lengths), batch

    def table(self) -> pa.Table:
        """Context features of all records read, one row each; null where a record has none.

        Raises:
            DataAnomalyError: a feature is a number in one record and text in another.
        """
        columns = {}
        # A record keeps its features in no order; the usual ones come first.
        order = [*_USUAL, *sorted(set(self._columns) - set(_USUAL))]
        for name in order:
            if name not in self._columns:
                continue
            values = self._columns[name]
            values += [None] * (self.count - len(values))
            try:
                columns[name] = pa.array(values)
            except pa.ArrowException:
                raise DataAnomalyError(
                    f"{self._fold.path}: the context feature {name} is of several types."
                ) from None
        return pa.table(columns or {"ID": pa.array([str(n) for n in range(self.count)])})

    def _remember(self, record: bytes, place: str) -> None:
        # The context lies where an Example has its features; see records.context.
        try:
            features = tf.train.Example.FromString(record).features.feature
        except DecodeError:
            parse_record(record, place)  # says what it is
            raise
        for name, feature in features.items():
            if name.lower() in _LEFT_OUT:
                continue
            kind = feature.WhichOneof("kind")
            values = getattr(feature, kind).value if kind else ()
            if not values:
                continue
            value = values[0].decode(errors="replace") if kind == "bytes_list" else values[0]
            column = self._columns.setdefault(_PROPER.get(name.lower(), name), [])
            column += [None] * (self.count - len(column))
            column.append(value)
        self.count += 1
