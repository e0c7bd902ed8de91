"""Turns a raw Parquet survey into fold records, one chunk of light curves at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from astromer.errors import LightCurveError, UsageError
from astromer.progress import progress_bar
from astromer.records.cleaning import CleanChunk, clean
from astromer.records.division import UNUSED, cross_validate
from astromer.records.encoding import encode_light_curve
from astromer.records.fold import SPLITS
from astromer.records.metadata import Metadata, load_metadata
from astromer.records.publishing import publish, refuse_existing
from astromer.records.shards import (
    Chunk,
    CurveIndex,
    Inventory,
    iterate_chunks,
    shard_files,
    take_inventory,
)
from astromer.records.survey_config import SurveyConfig
from pipeline_config import LightCurveRules, RecordsConfig

if TYPE_CHECKING:
    from astromer.records.writer import FoldWriter


@dataclass
class Tally:
    """What became of a survey's light curves and observations.

    Attributes:
        dropped_observations: number by reason.
        dropped_curves: number by reason.
        written: bool [metadata rows], light curves that went into the records.
        observations: observations that went into each fold.
    """

    written: np.ndarray
    observations: int = 0
    dropped_observations: Counter[str] = field(default_factory=Counter)
    dropped_curves: Counter[str] = field(default_factory=Counter)

    def add(self, cleaned: CleanChunk) -> None:
        self.written[cleaned.rows] = True
        self.observations += int(cleaned.offsets[-1])
        self.dropped_observations.update(cleaned.dropped_observations)
        self.dropped_curves.update(cleaned.dropped_curves)

    def reasons(self) -> str:
        """Why things were dropped, in words."""
        parts = [
            f"{number} {what} {reason.replace('_', ' ')}"
            for what, counts in (
                ("light curve(s)", self.dropped_curves),
                ("observation(s)", self.dropped_observations),
            )
            for reason, number in counts.items()
            if number
        ]
        return "; ".join(parts) or "nothing was dropped"


@dataclass(frozen=True)
class Conversion:
    """A finished conversion, for the summary.

    Attributes:
        metadata, inventory: what went in.
        divisions: int8 [folds, metadata rows], subset of each light curve in each fold.
        tally: what became of it.
        folders: the folds that were written.
    """

    metadata: Metadata
    inventory: Inventory
    divisions: np.ndarray
    tally: Tally
    folders: tuple[Path, ...]


def convert(
    config: SurveyConfig,
    options: RecordsConfig,
    rules: LightCurveRules,
    output: Path,
    *,
    overwrite: bool = False,
    progress: bool = True,
) -> Conversion:
    """Writes ``output/fold_0``, ``fold_1``, ... or nothing.

    The same survey, options and seed give the same bytes, whatever ``njobs`` is.

    Raises:
        UsageError: a fold is there already, or there are too few stars to divide.
        DataNotFoundError, RecordError, DataAnomalyError: something is wrong with the files.
        LightCurveError: no light curve is left after cleaning.
    """
    folders = tuple(output / f"fold_{number}" for number in range(options.folds))
    for folder in folders:
        refuse_existing(folder, overwrite)
    metadata = load_metadata(config)
    index = CurveIndex(metadata)
    inventory = take_inventory(shard_files(config, metadata), config, metadata, index)
    tally = Tally(np.zeros(len(metadata), bool))
    tally.dropped_curves["without_observations"] = int((inventory.observations == 0).sum())
    usable = inventory.observations >= rules.min_observations
    if not usable.any():
        tally.dropped_curves["too_short"] = int((inventory.observations > 0).sum())
        raise _nothing_left(config, tally)
    divisions = cross_validate(
        metadata.stars,
        metadata.classes,
        usable,
        metadata.in_test_table,
        options.val_frac,
        options.test_frac,
        options.seed,
        options.folds,
    )

    def work(chunk: Chunk) -> tuple[CleanChunk, list[bytes]]:
        cleaned = clean(chunk, rules)
        return cleaned, _encode(cleaned, metadata)

    chunks = (chunk for shard in inventory.shards for chunk in iterate_chunks(shard, config, index))
    with publish(list(folders), overwrite=overwrite) as unfinished:
        with ExitStack() as stack:
            writers = _open_writers(stack, unfinished, config, options)
            bar = stack.enter_context(
                progress_bar(
                    total=int(inventory.observations.sum()),
                    desc="writing records",
                    unit=" obs",
                    disable=not progress,
                )
            )
            for chunk, (cleaned, records) in _in_order(chunks, work, options.njobs):
                tally.add(cleaned)
                _write(writers, divisions[:, cleaned.rows], records)
                bar.update(len(chunk.mjd))
        _check_filled(config, tally, divisions)
    return Conversion(metadata, inventory, divisions, tally, folders)


def _in_order(
    chunks: Iterator[Chunk], work: Callable[[Chunk], tuple[CleanChunk, list[bytes]]], njobs: int
) -> Iterator[tuple[Chunk, tuple[CleanChunk, list[bytes]]]]:
    """Runs ``work`` in threads on a bounded number of chunks; results keep the order."""
    waiting: deque[tuple[Chunk, Future[tuple[CleanChunk, list[bytes]]]]] = deque()
    with ThreadPoolExecutor(njobs) as pool:
        try:
            for chunk in chunks:
                waiting.append((chunk, pool.submit(work, chunk)))
                if len(waiting) > njobs:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _encode(cleaned: CleanChunk, metadata: Metadata) -> list[bytes]:
    records = []
    for i, context in enumerate(metadata.contexts(cleaned.rows)):
        span = slice(cleaned.offsets[i], cleaned.offsets[i + 1])
        series = {
            "mjd": cleaned.mjd[span],
            "mag": cleaned.mag[span],
            "errmag": cleaned.errmag[span],
        }
        records.append(encode_light_curve(series, context))
    return records


def _open_writers(
    stack: ExitStack, folders: list[Path], config: SurveyConfig, options: RecordsConfig
) -> list[FoldWriter]:
    # TensorFlow takes seconds to load: the input has been looked at by now.
    from astromer.records.writer import FoldWriter

    return [
        stack.enter_context(FoldWriter(folder, config.text, options.elements_per_shard))
        for folder in folders
    ]


def _write(writers: list[FoldWriter], subsets: np.ndarray, records: list[bytes]) -> None:
    for writer, chosen in zip(writers, subsets.tolist(), strict=True):
        for subset, record in zip(chosen, records, strict=True):
            writer.write(SPLITS[subset], record)


def _check_filled(config: SurveyConfig, tally: Tally, divisions: np.ndarray) -> None:
    """Raises where nothing, or nothing of one subset, is left."""
    if not tally.written.any():
        raise _nothing_left(config, tally)
    for number, division in enumerate(divisions):
        for subset, split in enumerate(SPLITS):
            if not (tally.written & (division == subset)).any():
                chosen = int(((division == subset) & (division != UNUSED)).sum())
                raise UsageError(
                    f"fold {number} would have no {split} light curves: all {chosen} chosen for "
                    f"it were dropped ({tally.reasons()}). Nothing was written. Give larger "
                    "fractions or another --seed."
                )


def _nothing_left(config: SurveyConfig, tally: Tally) -> LightCurveError:
    return LightCurveError(
        f"no light curve of {config.light_curves} is usable: {tally.reasons()}. Nothing was "
        "written. Usable observations are finite, with 0 < errmag < 1; a survey without errors "
        "needs stated ones filled in first."
    )
