"""Writes folds: record files, split by split, with the config that describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

import tensorflow as tf

from astromer.light_curves import LightCurve
from astromer.records.encoding import ContextValue, encode_light_curve
from astromer.records.fold import SPLITS
from astromer.records.publishing import publish
from astromer.system.errors import UsageError
from astromer.system.storage import as_path

DEFAULT_ELEMENTS_PER_SHARD = 200_000


class FoldWriter:
    """Streams encoded light curves into the splits of one fold.

    Files are ``<split>/0.record``, ``1.record``, ... with at most ``elements_per_shard``
    records each. ``config.toml`` goes into the fold and into each split.
    """

    def __init__(
        self,
        folder: str | Path,
        config_toml: str,
        elements_per_shard: int = DEFAULT_ELEMENTS_PER_SHARD,
    ) -> None:
        if elements_per_shard < 1:
            raise UsageError(f"a record file must hold at least 1 curve, not {elements_per_shard}")
        self.folder = Path(folder)
        self.counts = dict.fromkeys(SPLITS, 0)
        self._per_file = elements_per_shard
        self._writers: dict[str, tf.io.TFRecordWriter] = {}
        for place in (self.folder, *(self.folder / split for split in SPLITS)):
            place.mkdir(parents=True, exist_ok=True)
            (place / "config.toml").write_text(config_toml, encoding="utf-8")

    def write(self, split: str, serialized: bytes) -> None:
        """Appends one encoded light curve to a split.

        Raises:
            OSError: the file system refuses; :func:`~astromer.records.publishing.publish`
                reports that without a traceback.
        """
        number, position = divmod(self.counts[split], self._per_file)
        try:
            if position == 0:
                if number > 0:
                    self._writers[split].close()
                path = self.folder / split / f"{number}.record"
                self._writers[split] = tf.io.TFRecordWriter(str(path))
            self._writers[split].write(serialized)
        except tf.errors.OpError as error:
            raise OSError(error.error_code, error.message) from None
        self.counts[split] += 1

    def close(self) -> None:
        writers, self._writers = self._writers, {}
        try:
            for writer in writers.values():
                writer.close()
        except tf.errors.OpError as error:
            raise OSError(error.error_code, error.message) from None

    def __enter__(self) -> FoldWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def write_fold(
    folder: str | Path,
    splits: Mapping[str, Iterable[tuple[LightCurve, Mapping[str, ContextValue]]]],
    config_toml: str,
    *,
    elements_per_shard: int = DEFAULT_ELEMENTS_PER_SHARD,
    overwrite: bool = False,
) -> dict[str, int]:
    """Writes a whole fold, or nothing.

    Args:
        folder: the fold's folder.
        splits: light curves with their context features, for 'train', 'validation', 'test'.
        config_toml: text of the ``config.toml`` that names the features.
        elements_per_shard: most light curves in one file.
        overwrite: replace a fold that is already there.

    Returns:
        Number of light curves written in each split.

    Raises:
        UsageError: the folder has files in it already, or a split is missing or empty.
    """
    missing = sorted(set(SPLITS) ^ set(splits))
    if missing:
        raise UsageError(f"a fold needs the splits {', '.join(SPLITS)}; wrong: {missing}")
    with publish([as_path(folder)], overwrite=overwrite) as (unfinished,):
        with FoldWriter(unfinished, config_toml, elements_per_shard) as writer:
            for split in SPLITS:
                for curve, context in splits[split]:
                    fields = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
                    writer.write(split, encode_light_curve(fields, context))
        empty = [split for split in SPLITS if not writer.counts[split]]
        if empty:
            raise UsageError(f"no light curves for {', '.join(empty)}: {folder} is not written")
    return dict(writer.counts)
