"""Writes folds, and joins several into one. A fold appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astromer.records.fold import SPLITS, Fold
from astromer.records.survey_config import features_toml, toml_tables
from astromer.system.atomic import cut_name, replace_folders
from astromer.system.errors import UsageError
from astromer.system.storage import as_path, copy_file, not_writable
from astromer.system.terminal import progress_bar
from astromer.system.text import brief
from astromer.system.untrusted_files import read_toml, to_toml

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
        self._writers: dict[str, Any] = {}
        for made in (self.folder, *(self.folder / split for split in SPLITS)):
            made.mkdir(parents=True, exist_ok=True)
            (made / "config.toml").write_text(config_toml, encoding="utf-8")

    def write(self, split: str, serialized: bytes) -> None:
        """Appends one encoded light curve to a split.

        Raises:
            OSError: the file system refuses; :func:`~astromer.records.writer.write_folders`
                reports that without a traceback.
        """
        import tensorflow as tf  # takes seconds: records are not written before the input is read

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
        """Closes all files; raises OSError as :meth:`write` does."""
        writers, self._writers = self._writers, {}
        if not writers:
            return
        import tensorflow as tf

        try:
            for writer in writers.values():
                writer.close()
        except tf.errors.OpError as error:
            raise OSError(error.error_code, error.message) from None

    def __enter__(self) -> FoldWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@contextmanager
def write_folders(folders: list[Path], *, overwrite: bool = False) -> Iterator[list[Path]]:
    """Temporary folders that take the place of ``folders`` when the block ends well.

    All folders must have the same parent. Where the block raises, nothing is left behind
    and what was there before stays.

    Raises:
        UsageError: one of the folders has something in it and ``overwrite`` is false, or the
            parent cannot be written to.
    """
    for folder in folders:
        refuse_existing(folder, overwrite)
    try:
        with replace_folders(folders) as unfinished:
            yield unfinished
    except OSError as error:
        raise not_writable("--output", folders[0].parent, error) from None


def refuse_existing(folder: Path, overwrite: bool) -> None:
    """Raises UsageError where a folder has something in it that must not be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a folder that does not exist yet.")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} exists already and is not empty. Give another folder, or --overwrite to "
            "replace it."
        )


def merge_folds(
    folds: Mapping[str, Fold], output: str | Path, *, overwrite: bool = False
) -> dict[str, int]:
    """Copies the record files of each split, byte for byte, into one new fold.

    Files are called ``<survey>_<old name>``. ``config.toml`` names the context features that
    all surveys have alike, and what was done to the values of each (``[processing.<survey>]``).

    Args:
        folds: by the name of their survey.
        output: the new fold.
        overwrite: replace what is there.

    Returns:
        Number of record files in each split.

    Raises:
        UsageError: the output is in use, or a config is no TOML.
    """
    text = _merged_config({name: _read_config(fold) for name, fold in folds.items()})
    with (
        write_folders([as_path(output)], overwrite=overwrite) as (unfinished,),
        progress_bar(total=_size(folds), desc="copying", unit="B", unit_scale=True) as bar,
    ):
        for split in SPLITS:
            (unfinished / split).mkdir()
            for name, fold in folds.items():
                for file in fold.files[split]:
                    copy_file(file, unfinished / split / f"{name}_{file.name}")
                    bar.update(file.stat().st_size)
            if text:
                (unfinished / split / "config.toml").write_text(text, encoding="utf-8")
        if text:
            (unfinished / "config.toml").write_text(text, encoding="utf-8")
    return {split: sum(len(fold.files[split]) for fold in folds.values()) for split in SPLITS}


def survey_names(folders: Sequence[Path]) -> list[str]:
    """A name for the survey of each fold folder: its own, or its parent's for ``fold_N``."""
    resolved = [folder.resolve() for folder in folders]
    names = [p.parent.name if p.name.startswith("fold_") else p.name for p in resolved]
    names = [cut_name(name, most=150) for name in names]  # files are called after them
    counted = {name: names.count(name) for name in names}
    return [f"{n}_{i}" if counted[n] > 1 else n for i, n in enumerate(names)]


def _size(folds: Mapping[str, Fold]) -> int:
    """Bytes of all record files."""
    files = (file for fold in folds.values() for split in SPLITS for file in fold.files[split])
    return sum(file.stat().st_size for file in files)


def _read_config(fold: Fold) -> dict[str, Any]:
    if fold.config_path is None:
        return {}
    try:
        return read_toml(fold.config_path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{fold.config_path} cannot be read as TOML: {brief(error)}.") from None


def _merged_config(configs: Mapping[str, dict[str, Any]]) -> str:
    """The text of the new ``config.toml``; empty where the surveys have no feature in common."""
    common: dict[str, str] | None = None
    for config in configs.values():
        described = config.get("context_features", {})
        features = dict(zip(described.get("value", ()), described.get("dtypes", ())))
        if common is None:
            common = features
        common = {name: kind for name, kind in common.items() if features.get(name) == kind}
    if not common:
        return ""
    first = next(iter(configs.values())).get("id_column", {}).get("value")
    text = features_toml(first if first in common else next(iter(common)), common)
    for name, config in configs.items():
        done = config.get("processing")
        if isinstance(done, dict) and done:
            text += "\n" + toml_tables({f"processing.{to_toml(name)}": done})
    return text
