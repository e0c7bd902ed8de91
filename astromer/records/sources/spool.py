"""The observations of a survey, put aside on disk until it is known how they are divided."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from astromer.system.errors import UsageError

ID = "number"
SERIES = ("mjd", "value", "error")
_ROWS = 1 << 17
_SCHEMA = pa.schema([(ID, pa.int64()), *((name, pa.float64()) for name in SERIES)])


class Spool:
    """A Parquet file of observations, written in pieces of bounded size.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[tuple[np.ndarray, ...]] = []
        self._rows = 0
        try:
            self._writer = pq.ParquetWriter(path, _SCHEMA, compression="NONE", use_dictionary=[ID])
        except OSError as error:
            raise _not_writable(path, error) from None

    def add(
        self, numbers: np.ndarray, mjd: np.ndarray, value: np.ndarray, error: np.ndarray
    ) -> None:
        """Appends observations [n], each with the number of its light curve.

        Raises:
            UsageError: the disk is full.
        """
        self._waiting.append((numbers, mjd, value, error))
        self._rows += len(numbers)
        if self._rows >= _ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = [np.concatenate(arrays) for arrays in zip(*self._waiting, strict=True)]
        self._waiting, self._rows = [], 0
        arrays = [pa.array(c.astype(f.type.to_pandas_dtype())) for c, f in zip(columns, _SCHEMA)]
        try:
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
        except OSError as error:
            raise _not_writable(self.path, error) from None

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _not_writable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"--output must have room for a temporary file. Received: {path.parent} "
        f"({error.strerror or error}). Make room there, or choose another one."
    )
