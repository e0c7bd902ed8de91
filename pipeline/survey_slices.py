"""Slices of a survey: consecutive light curves of one file, which one worker embeds at once.

Files are read through Beam's file systems. What a slice holds depends on the file and the size of
slices alone, so that a second run knows which of them are done.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from astromer.commands.embed import Part, describe_data, parts_of_records, record_files
from astromer.light_curves import LightCurves
from astromer.records.config import SurveyOptions
from astromer.records.fold import FOLDER_NAMES, is_record_file, natural_key
from astromer.records.framing import record_sizes
from astromer.records.sources.long_tables import bands_in_names, choose_profile, open_rows
from astromer.records.sources.names import PARQUET, kind_of
from astromer.records.sources.observations import Source, observations_of, open_source
from astromer.records.sources.survey import read_curves
from astromer.records.sources.tables import ParquetTable, as_text, check_values, parquet_file
from astromer.records.survey_config import SurveyConfig, describe_survey
from astromer.records.survey_profile import Profile
from astromer.system.errors import (
    AstromerError,
    DataAnomalyError,
    DataNotFoundError,
    RecordError,
    UsageError,
)
from astromer.system.text import brief

_MOST_BYTES = 1 << 28
"""Of the records of a slice, which a worker holds in memory."""
_ROWS, _LIST_ROWS = 1 << 16, 1 << 10
"""Rows read at once, and those of tables whose rows hold lists."""
_HEAD_ROWS = 1 << 18
_BUCKETS = 1 << 10


@dataclass(frozen=True)
class DataFile:
    """A file of a survey.

    Attributes:
        number: in the order of the survey.
        split: of a fold; empty for tables.
        path: with its scheme, where it is in a store.
        size: bytes.
        band: that its name says, where those of all files do.
    """

    number: int
    split: str
    path: str
    size: int
    band: str = ""


@dataclass(frozen=True)
class Slice:
    """Consecutive light curves of a file.

    Attributes:
        file: the file.
        part: its number in the file.
        start, stop: the first record or row, and one past the last.
        time_offset: days from the file's times to MJD; None where all of the file is read.
    """

    file: DataFile
    part: int
    start: int
    stop: int
    time_offset: float | None = None

    @property
    def name(self) -> str:
        """Of its Parquet file; in the order of the survey."""
        return f"part-{self.file.number:05d}-{self.part:05d}.parquet"

    @property
    def source(self) -> str:
        """Which data its Parquet file was made of."""
        return f"{self.file.path} ({self.file.size} bytes), {self.start} to {self.stop}"


@dataclass(frozen=True)
class SurveyFiles:
    """What there is to embed.

    Attributes:
        files: in order.
        config: how tables are read, with the survey's profile; None for records.
    """

    files: tuple[DataFile, ...]
    config: SurveyConfig | None = None

    def described(self, copy: Path, piece: Slice) -> SurveyConfig:
        """How a slice is read, of which there is a copy: as the whole file would be."""
        config, profile = self.tables
        band = replace(profile.band, value=piece.file.band or profile.band.value)
        config = replace(config, light_curves=copy, profile=replace(profile, band=band))
        if piece.time_offset is None:
            return config
        calibration = replace(config.calibration, time_offset=piece.time_offset)
        return replace(config, calibration=calibration, time_stated=True)

    @property
    def tables(self) -> tuple[SurveyConfig, Profile]:
        """How tables are read."""
        if self.config is None or self.config.profile is None:
            raise ValueError("a survey of records, which describe themselves")
        return self.config, self.config.profile


@dataclass(frozen=True)
class Contents:
    """What a look at a file has found.

    Attributes:
        slices: all of its light curves.
        objects: ids of tables, without repeats.
        classes: that its column of classes has.
    """

    slices: list[Slice]
    objects: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


def open_with_beam(path: str) -> IO[bytes]:
    """A file as it is, packed or not.

    Raises:
        DataNotFoundError: it cannot be opened.
    """
    try:
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except (BeamIOError, OSError, ValueError) as error:
        raise DataNotFoundError(
            f"{path} cannot be opened: {brief(error)}. Copy it again."
        ) from None


def find_survey(data: str, options: SurveyOptions) -> SurveyFiles:
    """The files of a fold of records, of long Parquet tables or of a HATS catalogue.

    Raises:
        DataNotFoundError: there are none.
        UsageError: they are of another kind, or need a table of metadata.
    """
    records = _fold_in_store(data) if "://" in data else _fold_here(Path(data))
    if records:
        if options.id_column:
            raise UsageError(f"--id-column is for a survey. Received: --data {data}, with records.")
        return SurveyFiles(tuple(records))
    tables = _tables(data)
    with TemporaryDirectory(prefix="astromer-") as folder:
        first = _head(tables[0], Path(folder))
        local = first if "://" in data else Path(data)
        config = describe_survey(options, first) if "://" in data else describe_data(local, options)
        if config.metadata is not None:
            raise UsageError(
                "--beam takes long tables that hold ids and classes themselves. Received: a table "
                f"of metadata, {config.metadata}. Make records of the survey first (astromer "
                "create_records), and give the fold."
            )
        paths = [first, *(Path(table.path) for table in tables[1:])]
        profile = choose_profile(config, paths).profile
    if profile.id.file_each and len(tables) > 1:
        raise UsageError(
            "--beam takes long tables, of many objects each. Received: files of one object each "
            f"(profile {profile.name}). Make records of the survey first (astromer create_records)."
        )
    named = bands_in_names(paths) if profile.has_usual_names else {}
    return SurveyFiles(
        tuple(replace(t, band=named.get(p, "")) for t, p in zip(tables, paths, strict=True)),
        replace(config, profile=profile),
    )


def _fold_here(data: Path) -> list[DataFile]:
    found = [(split, path) for split, paths in record_files(data).items() for path in paths]
    return [
        DataFile(number, split, str(path.absolute()), path.stat().st_size)
        for number, (split, path) in enumerate(found)
    ]


def _fold_in_store(data: str) -> list[DataFile]:
    """As ``record_files`` has it for folders of this machine."""

    def records(split: str, pattern: str) -> list[tuple[str, str, int]]:
        found = _listed(data, pattern)
        return [(split, *one) for one in found if is_record_file(one[0].rpartition("/")[2])]

    own = records(data.rstrip("/").rpartition("/")[2], "*")
    places = [(split, f"{name}/*") for split, names in FOLDER_NAMES.items() for name in names]
    return _numbered(own or [one for place in places for one in records(*place)])


def _tables(data: str) -> list[DataFile]:
    """Parquet files, of a HATS catalogue those of its partitions."""
    here = Path(data)
    if "://" not in data and here.is_file():
        found = [(str(here.absolute()), here.stat().st_size)]
    elif "://" not in data:
        paths = [path for path in here.rglob("*") if path.is_file()] if here.is_dir() else []
        found = [(str(path.absolute()), path.stat().st_size) for path in paths]
    else:
        found = _listed(data, "**") or _listed(*data.rsplit("/", 1))
    found = [one for one in found if kind_of(Path(one[0])) == PARQUET and _may_hold(one[0])]
    partitions = [one for one in found if "/Norder=" in one[0] and "/Npix=" in one[0]]
    if not (partitions or found):
        raise DataNotFoundError(
            "--data must be a fold of records, long Parquet tables or a HATS catalogue, with "
            f"--beam. Received: {data}, with none. Make records of other surveys first (astromer "
            "create_records)."
        )
    return _numbered([("", *one) for one in partitions or found])


def _may_hold(path: str) -> bool:
    return not path.rpartition("/")[2].lower().startswith((".", "_", "metadata"))


def _listed(folder: str, pattern: str) -> list[tuple[str, int]]:
    """Path and size of the files that match."""
    try:
        [found] = FileSystems.match([f"{folder.rstrip('/')}/{pattern}"])
    except (BeamIOError, ValueError) as error:
        raise DataNotFoundError(
            f"--data must be readable by Beam. Received: {folder} ({brief(error)}). Correct the "
            "path, or install the extra of Beam that its scheme needs (apache-beam[gcp], [aws], "
            "[azure])."
        ) from None
    return [(one.path, one.size_in_bytes) for one in found.metadata_list]


def _numbered(found: Iterable[tuple[str, str, int]]) -> list[DataFile]:
    splits = {split: number for number, split in enumerate(FOLDER_NAMES)}

    def order(one: tuple[str, str, int]) -> tuple[Any, ...]:
        folder = one[1].rpartition("/")[0]
        return (
            splits.get(one[0], 0),
            natural_key(Path(folder.replace("/", " "))),
            natural_key(Path(one[1])),
        )

    return [DataFile(number, *one) for number, one in enumerate(sorted(found, key=order))]


@contextmanager
def _here(file: DataFile) -> Iterator[Path]:
    """The file itself, or a copy of one in a store; errors name the file."""
    if "://" not in file.path:
        yield Path(file.path)
        return
    with TemporaryDirectory(prefix="astromer-") as folder:
        copy = Path(folder, file.path.rpartition("/")[2])
        with _errors_of(file, copy):
            with open_with_beam(file.path) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            yield copy


@contextmanager
def _errors_of(file: DataFile, copy: Path) -> Iterator[None]:
    """Errors about a copy of a file, or of a part of it, are about the file."""
    try:
        yield
    except AstromerError as error:
        raise type(error)(str(error).replace(str(copy), file.path)) from error


def look_into(file: DataFile, survey: SurveyFiles, most: int) -> Contents:
    """Divides a file.

    Args:
        file: of the survey.
        survey: says how tables are read.
        most: light curves of a slice; of tables, objects.

    Raises:
        RecordError, DataAnomalyError: it is damaged, or lacks a column.
    """
    if survey.config is None:
        with _here(file) as path:
            cuts = _cuts(list(record_sizes(path)), most)
        return Contents(_slices(file, cuts, None))
    with TemporaryDirectory(prefix="astromer-") as folder, open_with_beam(file.path) as stream:
        head = _head(file, Path(folder))
        with _errors_of(file, head):
            source, offset = _understood(head, survey, file)
            table = cast(ParquetTable, source.table)
            ids = list(source.columns.id_parts) or [source.columns.id or ""]
            starts, names, rows = _runs(table, stream, ids)
            classes = _classes(table, stream, source.columns.class_name)
    known = set(names)
    if len(known) < len(names) or offset is None:  # the rows of an object do not lie together
        starts, offset = [], None
    cuts = [0, *starts[most::most], rows] if known else []
    return Contents(_slices(file, cuts, offset), sorted(known), classes)


def _slices(file: DataFile, cuts: Sequence[int], offset: float | None) -> list[Slice]:
    return [Slice(file, part, *cut, offset) for part, cut in enumerate(pairwise(cuts))]


def _cuts(sizes: Sequence[int], most: int) -> list[int]:
    """Where slices of records begin, and the end of the last one."""
    cuts, held = [0], 0
    for number, size in enumerate(sizes):
        if number - cuts[-1] >= most or (held + size > _MOST_BYTES and number > cuts[-1]):
            cuts.append(number)
            held = 0
        held += size
    return [*cuts, len(sizes)] if sizes else cuts


def _head(file: DataFile, folder: Path) -> Path:
    """The first rows of a table as a file of the same name, in a folder of the same name."""
    return _copy_rows(file, 0, _HEAD_ROWS, folder)


def _copy_rows(file: DataFile, start: int, stop: int, folder: Path) -> Path:
    parts = file.path.rsplit("/", 2)
    copy = Path(folder, *parts[-2:])
    copy.parent.mkdir()
    try:
        with open_with_beam(file.path) as stream:
            source = parquet_file(stream)
            size = _LIST_ROWS if any(map(_is_nested, source.schema_arrow)) else _ROWS
            with pq.ParquetWriter(copy, source.schema_arrow) as writer:
                for first, group in _groups(source, start, stop):
                    for batch in source.iter_batches(batch_size=size, row_groups=[group]):
                        check_values(batch)
                        begin = max(start - first, 0)
                        kept = batch.slice(begin, max(stop - first - begin, 0))
                        if len(kept):
                            writer.write_table(pa.Table.from_batches([kept]))
                        first += len(batch)
                        if first >= stop:
                            break
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{file.path} is damaged: {brief(error)}. Copy it again.") from None
    return copy


def _is_nested(column: pa.Field) -> bool:
    return bool(pa.types.is_nested(column.type))


def _groups(source: pq.ParquetFile, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The first row and the number of each row group that has some of the rows."""
    first = 0
    for group in range(source.num_row_groups):
        rows = source.metadata.row_group(group).num_rows
        if first < stop and first + rows > start:
            yield first, group
        first += rows


def _understood(head: Path, survey: SurveyFiles, file: DataFile) -> tuple[Source, float | None]:
    """A table, and the days from its times to MJD where there is one such number."""
    config, profile = survey.tables
    source = open_source(open_rows(head, config, profile), config, profile)
    if source.columns.id is None:
        raise DataAnomalyError(
            f"{head} has no column with the objects' ids; it has {', '.join(source.table.names)}. "
            "Call it ID, or name it with --id-column."
        )
    for block in source.blocks():
        observations_of(block(), source, "", file.band)
        break
    offsets = {system.offset for system in source.systems.values()}
    return source, offsets.pop() if len(offsets) == 1 else None


def _runs(
    table: ParquetTable, stream: IO[bytes], columns: list[str]
) -> tuple[list[int], list[str], int]:
    """Where the rows of each object begin, its id, and how many rows there are.

    Rows without an id are left out by what reads them.
    """
    starts: list[int] = []
    names: list[str] = []
    rows = 0
    for keys in _texts(table, stream, columns):
        if len(keys):
            same = pc.equal(keys[1:], keys[:-1])
            new = [0, *(n + 1 for n in pc.indices_nonzero(pc.invert(same)).to_pylist())]
            found = keys.take(pa.array(new, pa.int64())).to_pylist()
            if names and names[-1] == found[0]:
                new, found = new[1:], found[1:]
            starts += [rows + number for number, name in zip(new, found) if name]
            names += filter(None, found)
        rows += len(keys)
    return starts, names, rows


def _classes(table: ParquetTable, stream: IO[bytes], column: str | None) -> list[str]:
    found = set() if column else {""}
    for texts in _texts(table, stream, [column]) if column else ():
        found.update(pc.unique(texts).to_pylist())
    return sorted(found)


def _texts(table: ParquetTable, stream: IO[bytes], columns: list[str]) -> Iterator[pa.Array]:
    """Columns as one text for each row of the file."""
    stream.seek(0)
    roots = list(dict.fromkeys(table.leaves[name].root for name in columns))
    try:
        for batch in parquet_file(stream).iter_batches(batch_size=_ROWS, columns=roots):
            check_values(batch)
            parts = []
            for name in columns:
                leaf = table.leaves[name]
                if leaf.many:
                    raise DataAnomalyError(
                        f"{table.path} must have ids and classes in columns, with --beam. Received:"
                        f" {name}, which is a list in each row. Make records first (astromer "
                        "create_records)."
                    )
                values = batch.column(batch.schema.get_field_index(leaf.root))
                if leaf.field:
                    index = values.type.get_field_index(leaf.field)
                    values = pc.struct_field(values, [index])
                parts.append(pc.utf8_trim_whitespace(pc.fill_null(as_text(values), "")))
            yield pc.binary_join_element_wise(*parts, ".") if len(parts) > 1 else parts[0]
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{table.path} is damaged: {brief(error)}. Copy it again.") from None


def read_slice(piece: Slice, survey: SurveyFiles, classes: Sequence[str]) -> list[Part]:
    """The light curves of a slice, as ``astromer embed`` reads them.

    Args:
        piece: the slice.
        survey: says how tables are read.
        classes: of all files, in the order of their labels.
    """
    if survey.config is None:
        with _here(piece.file) as path:
            files = {piece.file.split: [path]}
            return list(parts_of_records(files, piece.start, piece.stop))
    labels = {name: number for number, name in enumerate(classes)}
    parts: list[Part] = []
    with TemporaryDirectory(prefix="astromer-") as folder:
        copy = _copy_rows(piece.file, piece.start, piece.stop, Path(folder))
        with _errors_of(piece.file, copy):
            for curves in read_curves(survey.described(copy, piece), Path(folder), progress=False):
                if labels:
                    found = [labels[name] for name in curves.class_names.tolist()]
                    curves = replace(curves, labels=_whole(found))
                parts.append(("", curves, _whole([0] * len(curves))))
    return parts or [("", LightCurves.from_curves([]), _whole([]))]


def _whole(numbers: Iterable[int]) -> Any:
    return pa.array(list(numbers), pa.int64()).to_numpy()


def buckets_of(file: DataFile, contents: Contents) -> Iterator[tuple[int, tuple[str, list[str]]]]:
    """The ids of a file, so that equal ones of several files come together."""
    buckets: dict[int, list[str]] = {}
    for name in contents.objects:
        key = f"{name}\0{file.band}"
        buckets.setdefault(zlib.crc32(key.encode()) % _BUCKETS, []).append(key)
    for number, keys in buckets.items():
        yield number, (file.path, keys)


def refuse_divided(grouped: tuple[int, Iterable[tuple[str, list[str]]]]) -> None:
    """Makes sure that no object lies in two files.

    Raises:
        DataAnomalyError: one does.
    """
    seen: dict[str, str] = {}
    for path, keys in sorted(grouped[1]):
        for key in keys:
            if (other := seen.setdefault(key, path)) != path:
                raise DataAnomalyError(
                    "Each object must lie in one file, with --beam. Received: "
                    f"{key.partition(chr(0))[0]}, which is in {other} and in {path}. Put its rows "
                    "together, or make records of the survey (astromer create_records)."
                )
