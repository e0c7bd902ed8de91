"""Writes folds: record files, split by split, with the config that describes them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import tensorflow as tf

from astromer.errors import UsageError
from astromer.light_curves import LightCurve
from astromer.records.codec import ContextValue, encode_light_curve
from astromer.records.fold import SPLITS

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
        """Appends one encoded light curve to a split."""
        number, position = divmod(self.counts[split], self._per_file)
        if position == 0:
            if number > 0:
                self._writers[split].close()
            path = self.folder / split / f"{number}.record"
            self._writers[split] = tf.io.TFRecordWriter(str(path))
        self._writers[split].write(serialized)
        self.counts[split] += 1

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

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
    with publish([Path(folder)], overwrite=overwrite) as (unfinished,):
        with FoldWriter(unfinished, config_toml, elements_per_shard) as writer:
            for split in SPLITS:
                for curve, context in splits[split]:
                    fields = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
                    writer.write(split, encode_light_curve(fields, context))
        empty = [split for split in SPLITS if not writer.counts[split]]
        if empty:
            raise UsageError(f"no light curves for {', '.join(empty)}: {folder} is not written")
    return dict(writer.counts)


@contextmanager
def publish(folders: list[Path], *, overwrite: bool = False) -> Iterator[list[Path]]:
    """Temporary folders that take the place of ``folders`` when the block ends well.

    All folders must have the same parent. Where the block raises, nothing is left behind
    and what was there before stays.

    Raises:
        UsageError: one of the folders has something in it and ``overwrite`` is false, or the
            parent cannot be written to.
    """
    for folder in folders:
        refuse_existing(folder, overwrite)
    parent = folders[0].parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=parent))
    except OSError as error:
        raise UsageError(f"cannot write to {parent}: {error.strerror}.") from None
    try:
        news = [unfinished / folder.name for folder in folders]
        for new in news:
            new.mkdir()
        yield news
        for new, folder in zip(news, folders, strict=True):
            if folder.exists():
                os.replace(folder, unfinished / f"{folder.name}.replaced")
            os.replace(new, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def refuse_existing(folder: Path, overwrite: bool) -> None:
    """Raises UsageError where a folder has something in it that must not be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a folder that does not exist yet.")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} exists already and is not empty. Give another folder, or --overwrite to "
            "replace it."
        )
