"""A survey of any layout, opened for conversion."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from astromer.records.chunk import Chunk
from astromer.records.metadata import Metadata, load_metadata
from astromer.records.parquet import open_parquet
from astromer.records.shards import (
    CurveIndex,
    Inventory,
    iterate_chunks,
    shard_files,
    take_inventory,
)
from astromer.records.sources import spool
from astromer.records.sources.catalogue import read_catalogue
from astromer.records.sources.columns import find_columns, id_of
from astromer.records.sources.files import PARQUET, data_files, is_fold, kind_of
from astromer.records.sources.joining import Joined, join, metadata_of, metadata_of_records
from astromer.records.sources.long_tables import read_long
from astromer.records.sources.objects import Plan, plan_objects, read_objects
from astromer.records.sources.observations import Observations, Register
from astromer.records.sources.spool import Spool
from astromer.records.sources.tables import open_table
from astromer.records.survey_config import SurveyConfig
from astromer.system.atomic import scratch_folder
from astromer.system.errors import UsageError
from astromer.system.storage import RemotePath
from astromer.system.terminal import progress_bar


@dataclass(frozen=True)
class Survey:
    """Light curves that can be streamed, and what was found on the way to them.

    Attributes:
        config: describes the records to be made: their context features.
        metadata: the light curves.
        inventory: how many observations each has.
        dropped: observations that were left out while reading, by reason.
        notes: what did not fit together, in words.
    """

    config: SurveyConfig
    metadata: Metadata
    inventory: Inventory
    dropped: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()
    _stored: SurveyConfig | None = None

    def chunks(self) -> Iterator[Chunk]:
        """All light curves that the metadata list, a bounded number of observations at a time."""
        index = CurveIndex(self.metadata)
        for shard in self.inventory.shards:
            yield from iterate_chunks(shard, self._stored or self.config, index)


@contextmanager
def open_survey(
    config: SurveyConfig, njobs: int, workspace: Path, *, progress: bool = True
) -> Iterator[Survey]:
    """Opens a survey of any layout; its light curves can be streamed until the block ends.

    Parquet shards that carry the metadata's id column are read where they are. Everything
    else is read once, and its observations are put aside in a file in ``workspace``.

    Raises:
        DataNotFoundError, RecordError, DataAnomalyError: something is wrong with the files.
        UsageError: nothing can be written to ``workspace``, or an option is missing.
    """
    raw = _raw_layout(config)
    if raw is not None:
        metadata = load_metadata(*raw)
        files = shard_files(raw[0], metadata)
        yield Survey(
            raw[0], metadata, take_inventory(files, raw[0], metadata, CurveIndex(metadata))
        )
        return
    with ExitStack() as made:
        try:
            place = Path(tempfile.gettempdir()) if isinstance(workspace, RemotePath) else workspace
            place.mkdir(parents=True, exist_ok=True)
            folder = made.enter_context(scratch_folder(place, ".reading-"))
        except OSError as error:
            raise UsageError(
                f"--output must be a folder that can be written to. Received: {workspace} "
                f"({error.strerror or error}). Choose another one."
            ) from None
        path = folder / "observations.parquet"
        if is_fold(config.light_curves):
            joined, dropped, notes = _read_fold(config, path, progress)
        else:
            joined, dropped, notes = _read_tables(config, path, njobs, progress)
        stored = replace(joined.config, light_curves=path, id_column=spool.ID, series=spool.SERIES)
        metadata = joined.metadata
        inventory = take_inventory([path], stored, metadata, CurveIndex(metadata))
        yield Survey(joined.config, metadata, inventory, dropped, notes, stored)


def _raw_layout(config: SurveyConfig) -> tuple[SurveyConfig, Path] | None:
    """The config with the names that the Parquet tables have, if this is the raw layout."""
    place, metadata = config.light_curves, config.metadata
    if metadata is None or is_fold(place):
        return None
    kind, files = data_files(place, (metadata, config.test_metadata))
    if kind != PARQUET or kind_of(metadata) != PARQUET:
        return None
    names = open_parquet(metadata).schema_arrow.names
    of_shards = open_parquet(files[0]).schema_arrow.names
    if config.id_column not in of_shards or config.id_column not in names:
        return None
    if not config.described:
        context = {n: dtype for n, dtype in config.context.items() if n in names}
        config = config.with_context(context, config.id_column)
    columns = find_columns(files[0], of_shards, config)
    if columns.error is None:
        return None  # no column of errors: read as any other table
    return replace(config, series=(columns.time, columns.value, columns.error)), metadata


def _read_fold(
    config: SurveyConfig, path: Path, progress: bool
) -> tuple[Joined, Counter[str], tuple[str, ...]]:
    # TensorFlow takes seconds to load: only records need it.
    from astromer.records.sources.fold_records import FoldRecords

    records = FoldRecords(config.light_curves)
    with Spool(path) as file, _bar(progress) as bar:
        for numbers, batch in records.batches():
            file.add(numbers, batch.mjd, batch.mag, batch.errmag)
            bar.update(len(numbers))
    return metadata_of_records(config, records.table()), Counter(), ()


def _read_tables(
    config: SurveyConfig, path: Path, njobs: int, progress: bool
) -> tuple[Joined, Counter[str], tuple[str, ...]]:
    catalogue = read_catalogue(config)
    _, files = data_files(config.light_curves, (config.metadata, config.test_metadata))
    first = open_table(files[0], config.columns)
    named = catalogue is not None and catalogue.file_column is not None
    plan = Plan(())
    if config.light_curves.is_file() or (id_of(first.names, config) and not named):
        observations = read_long(files, config, njobs)
    else:
        plan = plan_objects(files, catalogue)
        known = None
        if catalogue is not None:
            known = {t for n in catalogue.possible_ids() for t in catalogue.texts(n)}
        observations = read_objects(plan, config, known, njobs)
    register, dropped = _put_aside(observations, path, progress)
    if catalogue is None:
        joined = metadata_of(config, register.names(), register.classes)
    else:
        joined = join(config, register.names(), catalogue)
    return joined, dropped, tuple(_notes(plan, joined, config))


def _put_aside(
    observations: Iterator[Observations], path: Path, progress: bool
) -> tuple[Register, Counter[str]]:
    register, dropped = Register(), Counter[str]()
    with Spool(path) as file, _bar(progress) as bar:
        for part in observations:
            file.add(register.numbers_of(part), part.mjd, part.value, part.error)
            dropped["flagged"] += part.flagged
            bar.update(len(part))
    return register, dropped


def _notes(plan: Plan, joined: Joined, config: SurveyConfig) -> Iterator[str]:
    table = config.metadata
    missing = plan.missing or joined.without_observations
    if plan.unlisted:
        names = [path.name for path in plan.unlisted]
        yield f"{_some(names)} in {config.light_curves} not named in {table}: left out"
    if joined.without_row:
        yield f"{_some(joined.without_row)} without a row in {table}: left out"
    if missing:
        yield f"{_some(missing)} in {table} without observations"


def _some(names: tuple[str, ...] | list[str]) -> str:
    return f"{len(names)} light curve(s), for instance {names[0]},"


def _bar(progress: bool):  # type: ignore[no-untyped-def]
    return progress_bar(desc="reading", unit=" obs", disable=not progress)
