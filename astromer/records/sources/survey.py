"""A survey of any layout, opened for conversion."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from astromer.light_curves import LightCurves
from astromer.records.cleaning import Calibration
from astromer.records.fold import Fold
from astromer.records.sources.catalogue import (
    Joined,
    join,
    metadata_of,
    metadata_of_records,
    read_catalogue,
)
from astromer.records.sources.columns import id_of
from astromer.records.sources.long_tables import (
    Plan,
    Register,
    choose_profile,
    open_rows,
    plan_objects,
    read_long_tables,
    read_objects,
)
from astromer.records.sources.metadata import Metadata, load_metadata
from astromer.records.sources.names import CONTEXT, PARQUET, data_files, is_fold, kind_of
from astromer.records.sources.observations import ObservationRows, Source, open_source
from astromer.records.sources.shards import (
    CurveIndex,
    Inventory,
    iterate_shard,
    shard_files,
    take_inventory,
)
from astromer.records.sources.tables import open_parquet
from astromer.records.sources.understood import Understood
from astromer.records.survey_config import SurveyConfig
from astromer.system.atomic import temporary_folder
from astromer.system.errors import DataAnomalyError, UsageError
from astromer.system.storage import RemotePath, not_writable
from astromer.system.terminal import progress_bar

_NUMBER = "number"
_VALUES = ("mjd", "value", "error")
_ROWS = 1 << 17
_SCHEMA = pa.schema([(_NUMBER, pa.int64()), *((name, pa.float64()) for name in _VALUES)])
_LEFT_OUT = ("length",)
"""Context features of older records that cleaning may change."""


@dataclass(frozen=True)
class Survey:
    """Light curves that can be streamed, and what was found on the way to them.

    Attributes:
        config: describes the records to be made: their context features.
        metadata: the light curves.
        inventory: how many observations each has.
        calibration: what is still to be done to the values; nothing where they were read as MJD
            and magnitudes.
        understood: what the files were taken for; None for records.
        notes: what did not fit together, in words.
    """

    config: SurveyConfig
    metadata: Metadata
    inventory: Inventory
    calibration: Calibration = Calibration()
    understood: Understood | None = None
    notes: tuple[str, ...] = ()
    _stored: SurveyConfig | None = None

    @property
    def dropped(self) -> Counter[str]:
        """Observations that were left out while reading, by reason."""
        return Counter() if self.understood is None else self.understood.dropped

    @property
    def done(self) -> Calibration:
        """What was or is done to the values."""
        return self.calibration if self.understood is None else self.understood.calibration

    @property
    def profile_name(self) -> str:
        """Of the survey, where it is a known one."""
        profile = None if self.understood is None else self.understood.choice.profile
        return "" if profile is None or profile.is_generic else profile.name

    def light_curves(self, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, LightCurves]]:
        """Metadata rows and their light curves, a bounded number of observations at a time.

        Args:
            wanted: bool [metadata rows], which of them; see :func:`iterate_shard`.
        """
        index = CurveIndex(self.metadata)
        for shard in self.inventory.shards:
            yield from iterate_shard(shard, self._stored or self.config, index, wanted)


@contextmanager
def open_survey(
    config: SurveyConfig, njobs: int, workspace: Path, *, progress: bool = True
) -> Iterator[Survey]:
    """Opens a survey of any layout; its light curves can be streamed until the block ends.

    Parquet shards that carry the metadata's id column are read where they are. Everything
    else is read once, and its observations are stored in a temporary file in ``workspace``.

    Raises:
        DataNotFoundError, RecordError, DataAnomalyError: something is wrong with the files.
        UsageError: nothing can be written to ``workspace``, or an option is missing.
    """
    raw = _raw_layout(config)
    if raw is not None:
        metadata = load_metadata(raw.config, raw.metadata)
        names = metadata.table.column_names
        context = {name: raw.config.context.get(name, "float") for name in names}
        config = raw.config.with_context(context, raw.config.id_column)
        files = shard_files(config, metadata)
        inventory = take_inventory(files, config, metadata, CurveIndex(metadata))
        raw.understood.files = len(files)
        raw.understood.bands = set() if metadata.bands is None else set(metadata.bands.tolist())
        limits = _limits_of(files, raw.config.series[0])
        raw.understood.add_times(raw.config.calibration.times(limits))
        raw.understood.observations = int(inventory.observations.sum())
        yield Survey(config, metadata, inventory, config.calibration, raw.understood)
        return
    with ExitStack() as made:
        try:
            local = Path(tempfile.gettempdir()) if isinstance(workspace, RemotePath) else workspace
            local.mkdir(parents=True, exist_ok=True)
            folder = made.enter_context(temporary_folder(local, ".reading-"))
        except OSError as error:
            raise not_writable("--output", workspace, error) from None
        path = folder / "observations.parquet"
        understood: Understood | None = None
        notes: tuple[str, ...] = ()
        if is_fold(config.light_curves):
            joined = _read_fold(config, path, progress)
        else:
            joined, understood, notes = _read_tables(config, path, njobs, progress)
        stored = replace(
            joined.config,
            light_curves=path,
            id_column=_NUMBER,
            series=_VALUES,
            calibration=Calibration(),
        )
        metadata = joined.metadata
        inventory = take_inventory([path], stored, metadata, CurveIndex(metadata))
        calibration = Calibration()
        yield Survey(joined.config, metadata, inventory, calibration, understood, notes, stored)


def understand_survey(config: SurveyConfig, njobs: int) -> list[str]:
    """What is understood of a survey, in lines; nothing is left behind.

    Raises:
        DataNotFoundError, RecordError, DataAnomalyError, UsageError: as :func:`open_survey`.
    """
    with open_survey(config, njobs, Path(tempfile.gettempdir())) as survey:
        periods = survey.metadata.periods
        known = [] if periods is None else [str(periods)]
        if survey.understood is None:
            return [f"{config.light_curves} holds {len(survey.metadata):,} records", *known]
        return [*survey.understood.lines(), *known, *(f"note: {note}" for note in survey.notes)]


def read_curves(
    config: SurveyConfig,
    workspace: Path,
    *,
    announce: Callable[[list[str]], None] | None = None,
    progress: bool = True,
) -> Iterator[LightCurves]:
    """The light curves of a survey as MJD and magnitudes, a bounded number at a time.

    Nothing is cleaned: missing values are NaN, and times may be in any order.

    Args:
        config: the survey.
        workspace: folder for a temporary file.
        announce: is called with what was understood, in lines, before the first light curves.
        progress: show a progress bar.

    Raises:
        DataNotFoundError, RecordError, DataAnomalyError, UsageError: as :func:`open_survey`.
    """
    with open_survey(config, 1, workspace, progress=progress) as survey:
        if announce is not None and survey.understood is not None:
            announce([*survey.understood.lines(), *(f"note: {note}" for note in survey.notes)])
        metadata = survey.metadata
        everything = np.ones(len(metadata), bool)
        names = metadata.names
        bands = metadata.bands
        for rows, curves in survey.light_curves(everything):
            mjd = survey.calibration.times(curves.mjd)
            mag, errmag, _ = survey.calibration.magnitudes(curves.mag, curves.errmag)
            yield replace(
                curves,
                mjd=mjd,
                mag=mag,
                errmag=errmag,
                ids=names[rows],
                labels=metadata.labels[rows],
                class_names=metadata.classes[rows],
                bands=np.full(len(rows), "") if bands is None else bands[rows],
                periods=metadata.known_periods[rows],
            )


@dataclass(frozen=True)
class _Raw:
    """The raw layout: names of columns as the Parquet tables have them."""

    config: SurveyConfig
    metadata: Path
    understood: Understood


def _raw_layout(config: SurveyConfig) -> _Raw | None:
    """What is read in place, if this is the raw layout and nothing has to be left out."""
    metadata = config.metadata
    if metadata is None or is_fold(config.light_curves):
        return None
    kind, files = data_files(config.light_curves, config.tables)
    if kind != PARQUET or kind_of(metadata) != PARQUET:
        return None
    names = open_parquet(metadata).schema_arrow.names
    schema = open_parquet(files[0]).schema_arrow
    if config.id_column not in schema.names or config.id_column not in names:
        return None
    understood = Understood(choose_profile(config, files), kind)
    profile = understood.choice.profile
    if not config.described:
        context = {n: dtype for n, dtype in config.context.items() if n in names}
        config = config.with_context(context, config.id_column)
    source = open_source(open_rows(files[0], config, profile), config, profile)
    if not _is_plain(source, schema):
        return None
    understood.add_source(source)
    measure = source.columns.measures[0]
    times = _limits_of(files[:1], measure.time)
    system = source.time_system(measure, times if len(times) else _first_times(source))
    understood.add_system(system)
    zero_point = measure.zero_point
    if not isinstance(zero_point, (int, float)):
        zero_point = None
    calibration = Calibration(zero_point if measure.is_flux else None, system.offset)
    series = (measure.time, measure.value, measure.error or "")
    return _Raw(replace(config, series=series, calibration=calibration), metadata, understood)


def _is_plain(source: Source, schema: pa.Schema) -> bool:
    """Whether every row of a Parquet table is an observation, to be taken as it is."""
    measures, sentinels = source.columns.measures, source.profile.sentinels
    if len(measures) > 1 or source.columns.quality or not source.profile.is_generic:
        return False
    measure = measures[0]
    if measure.error is None or measure.flux_error or sentinels.limit_marks:
        return False
    if (measure.scale, measure.error_scale) != (1, 1):
        return False
    if measure.is_flux and not isinstance(measure.zero_point, (int, float)):
        return False
    return all(name in schema.names for name in measure.numbers)


def _limits_of(files: list[Path], column: str) -> np.ndarray:
    """float64, smallest and largest values of a column as Parquet's statistics have them."""
    limits = []
    for path in files:
        found = open_parquet(path).metadata
        for group in range(found.num_row_groups):
            row_group = found.row_group(group)
            for number in range(row_group.num_columns):
                chunk = row_group.column(number)
                if chunk.path_in_schema == column and chunk.statistics is not None:
                    limits += [chunk.statistics.min, chunk.statistics.max]
    return np.array([value for value in limits if value is not None], np.float64)


def _first_times(source: Source) -> np.ndarray:
    """float64, the times of the first rows; none where they are no numbers."""
    for make in source.table.blocks([source.columns.measures[0].time], []):
        return make().column(0).to_numpy()
    return np.empty(0)


def _read_fold(config: SurveyConfig, path: Path, progress: bool) -> Joined:
    """The records of a fold, each a light curve of its own, to be cleaned and divided again."""
    from astromer.records.reader import iterate_batches  # TensorFlow takes seconds to load

    contexts = _ContextTable()
    with ObservationFile(path) as file, _bar(progress) as bar:
        for files in Fold.open(config.light_curves).files.values():
            for batch in iterate_batches(files, strict=False):
                numbers = np.repeat(contexts.rows + np.arange(len(batch)), batch.lengths)
                for row, record in enumerate(batch.serialized):
                    contexts.add(record, batch.location(row))
                file.add(numbers, batch.mjd, batch.mag, batch.errmag)
                bar.update(len(numbers))
    return metadata_of_records(config, contexts.to_table(config.light_curves))


def _read_tables(
    config: SurveyConfig, path: Path, njobs: int, progress: bool
) -> tuple[Joined, Understood, tuple[str, ...]]:
    catalogue = read_catalogue(config)
    kind, files = data_files(config.light_curves, config.tables)
    understood = Understood(choose_profile(config, files), kind)
    profile = understood.choice.profile
    first = open_rows(files[0], config, profile)
    named = catalogue is not None and catalogue.file_column is not None
    has_ids = id_of(first.names, config, profile) is not None
    each = profile.id.file_each and not config.light_curves.is_file()
    plan = Plan(())
    # A file of neither is the light curve of one object, as its survey's files are.
    of_many = config.light_curves.is_file() and (has_ids or profile.is_generic)
    if of_many or (has_ids and not named and not each):
        observations = read_long_tables(files, config, understood, njobs)
    else:
        plan = plan_objects(files, catalogue, profile)
        known = None if catalogue is None else catalogue.known_ids()
        observations = read_objects(plan, config, understood, known, njobs)
    register = _store(observations, path, progress)
    understood.bands = {band for _, band in register.names()}
    understood.curves = len(register.classes)
    if catalogue is None:
        joined = metadata_of(config, register.names(), register.classes)
    else:
        joined = join(config, register.names(), catalogue)
        classes = catalogue.class_column
        classes = None if config.described and classes not in config.context else classes
        understood.add_metadata(catalogue.path.name, joined.joined_by, classes)
    return joined, understood, tuple(_notes(plan, joined, config))


def _store(observations: Iterator[ObservationRows], path: Path, progress: bool) -> Register:
    register = Register()
    with ObservationFile(path) as file, _bar(progress) as bar:
        for part in observations:
            file.add(register.numbers_of(part), part.mjd, part.mag, part.errmag)
            bar.update(len(part))
    return register


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


class ObservationFile:
    """A Parquet file of observations, written in pieces of bounded size.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[tuple[np.ndarray, ...]] = []
        self._rows = 0
        try:
            self._writer = pq.ParquetWriter(
                path,
                _SCHEMA,
                compression="NONE",
                use_dictionary=[_NUMBER],
                write_statistics=False,
            )
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
        arrays = [pa.array(c).cast(f.type) for c, f in zip(columns, _SCHEMA)]
        try:
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
        except OSError as error:
            raise _not_writable(self.path, error) from None

    def __enter__(self) -> ObservationFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _not_writable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"--output must have room for a temporary file. Received: {path.parent} "
        f"({error.strerror or error}). Make room there, or choose another one."
    )


class _ContextTable:
    """The context features of records, one row each."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: dict[str, list] = {}

    def add(self, record: bytes, place: str) -> None:
        """Appends the features of a record; ``place`` names it in errors."""
        from google.protobuf.message import DecodeError

        from astromer.records.codec import context_values, parse_record

        try:
            values = context_values(record)
        except DecodeError:
            parse_record(record, place)  # raises RecordError
            raise
        for name, value in values.items():
            if name.lower() not in _LEFT_OUT:
                column = self._columns.setdefault(CONTEXT.get(name.lower(), name), [])
                column += [None] * (self.rows - len(column))
                column.append(value.decode(errors="replace") if type(value) is bytes else value)
        self.rows += 1

    def to_table(self, fold: Path) -> pa.Table:
        """A table of all of them; null where a record has none.

        Raises:
            DataAnomalyError: a feature is a number in one record and text in another.
        """
        columns = {}
        # A record keeps its features in no order; the usual ones come first.
        names = [name for name in CONTEXT.values() if name in self._columns]
        for name in [*names, *sorted(set(self._columns) - set(names))]:
            values = self._columns[name]
            values += [None] * (self.rows - len(values))
            try:
                columns[name] = pa.array(values)
            except pa.ArrowException:
                raise DataAnomalyError(
                    f"{fold}: the context feature {name} is of several types."
                ) from None
        return pa.table(columns or {"ID": pa.array([str(n) for n in range(self.rows)])})
