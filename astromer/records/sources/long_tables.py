"""Observations of light curves in tables: one long table, or a file for each light curve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from astromer.records.sources.catalogue import Catalogue
from astromer.records.sources.columns import folder_band
from astromer.records.sources.names import BANDS, FITS, kind_of, stem_of
from astromer.records.sources.observations import (
    ObservationRows,
    Source,
    observations_of,
    open_source,
)
from astromer.records.sources.tables import Table, open_table
from astromer.records.sources.understood import Understood
from astromer.records.survey_config import SurveyConfig
from astromer.records.survey_profile import AUTO_PROFILE, Choice, Profile, named_profile, recognise
from astromer.system.errors import DataAnomalyError, DataNotFoundError
from astromer.system.parallel import map_ahead

_SEPARATOR = "\0"
_LOOKED_AT = 5
"""Files that are opened to find one with rows."""


def choose_profile(config: SurveyConfig, files: list[Path]) -> Choice:
    """The profile that is stated, or the one that the first file with rows is known by.

    Raises:
        UsageError: the stated one does not exist.
    """
    if config.profile is not None:
        return Choice(config.profile, f"stated in {config.profile.path}")
    if config.survey != AUTO_PROFILE:
        return Choice(named_profile(config.survey), "as stated")
    if config.columns or config.series != ("mjd", "mag", "errmag"):
        return Choice(named_profile("generic"), "the columns are stated")
    names = [path.name for path in files]
    for path in files[:_LOOKED_AT]:
        table = open_table(path, [tuple(f"column_{n}" for n in range(2))])
        if table.names:
            has_header = getattr(table, "has_header", True)
            return recognise(table.names if has_header else (), names, table.header)
    return recognise((), names)


def open_rows(path: Path, config: SurveyConfig, profile: Profile) -> Table:
    """Opens a table, with the names of its columns if it has no header."""
    return open_table(path, [config.columns] if config.columns else profile.text_columns)


def read_long_tables(
    files: list[Path], config: SurveyConfig, understood: Understood, njobs: int
) -> Iterator[ObservationRows]:
    """The observations of long tables, a bounded number at a time.

    Raises:
        RecordError: a file is damaged.
        DataAnomalyError: it lacks a column.
    """
    profile = understood.choice.profile
    named = bands_in_names(files) if profile.has_usual_names else {}
    for path in files:
        table = open_rows(path, config, profile)
        if not table.names:
            raise DataAnomalyError(f"{path} has no rows: there are no light curves in it.")
        source = open_source(table, config, profile)
        if source.columns.id is None:
            raise DataAnomalyError(
                f"{path} has no column with the objects' ids; it has {', '.join(table.names)}. "
                "Call it ID, or name it in config.toml as [id_column] value. Files of one object "
                "each belong in a folder."
            )
        understood.add_source(source)
        band = _band_of(path, profile) or named.get(path, "")
        for block in map_ahead(lambda parse: parse(), source.blocks(), njobs):
            for rows in observations_of(block, source, "", band):
                understood.add(rows, source)
                yield rows


def _band_of(path: Path, profile: Profile) -> str:
    """The band that a file's name or folder gives."""
    if profile.band.file and (found := re.search(profile.band.file, path.name)):
        band = found[1]
    elif profile.band.folder or profile.has_usual_names:
        band = folder_band(path)
    else:
        band = ""
    return profile.band.names.get(band, band)


def bands_in_names(files: list[Path]) -> dict[Path, str]:
    """Bands of files whose names all end in one, and not in the same: stars_g.csv, stars_r.csv."""
    ends = {path: re.split(r"[._-]", stem_of(path))[-1] for path in files}
    bands = set(ends.values())
    return ends if len(bands) > 1 and bands <= BANDS else {}


def _bands_of_stars(files: list[Path], catalogue: Catalogue | None) -> dict[Path, str]:
    """Bands of files of one star each, where a star has several: star1_g.csv, star1_r.csv.

    None where the metadata know the files by their whole names.
    """
    ends = bands_in_names(files)
    stars = {stem_of(path)[: -len(band) - 1] for path, band in ends.items()}
    if not ends or "" in stars or len(stars) == len(files):
        return {}
    known = set() if catalogue is None else catalogue.known_ids()
    return {} if any(stem_of(path) in known for path in ends) else ends


class Register:
    """Numbers light curves, one for each object and band, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[tuple[str, str]] = []
        self.classes: list[str] = []

    def names(self, start: int = 0, stop: int | None = None) -> list[tuple[str, str]]:
        """Id and band of each light curve, or of those with some numbers."""
        return self._names[start:stop]

    def numbers_of(self, observations: ObservationRows) -> np.ndarray:
        """int64 [n], number of each observation's light curve."""
        ids, bands, classes = observations.ids, observations.bands, observations.classes
        if isinstance(ids, str) and isinstance(bands, str):
            first = classes
            if not isinstance(classes, str):
                first = classes[0].as_py() if len(classes) else ""
            return np.full(len(observations), self._number(f"{ids}{_SEPARATOR}{bands}", first))
        if isinstance(bands, str) and not isinstance(ids, str):
            encoded = ids.dictionary_encode()
            keys = [f"{name}{_SEPARATOR}{bands}" for name in encoded.dictionary.to_pylist()]
        else:
            encoded = pc.binary_join_element_wise(ids, bands, _SEPARATOR).dictionary_encode()
            keys = encoded.dictionary.to_pylist()
        indices = encoded.indices.to_numpy()
        if isinstance(classes, str):
            of_key = [classes] * len(keys)
        else:
            firsts = np.unique(indices, return_index=True)[1]
            of_key = classes.take(pa.array(firsts)).to_pylist()
        numbers = [self._number(key, name) for key, name in zip(keys, of_key, strict=True)]
        return np.array(numbers, np.int64)[indices] if keys else np.empty(0, np.int64)

    def _number(self, key: str, class_name: str) -> int:
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self.classes):
            name, _, band = key.partition(_SEPARATOR)
            self._names.append((name, band))
            self.classes.append(class_name)
        return number


@dataclass(frozen=True)
class ObjectFile:
    """A file and what is known of it before it is read.

    Attributes:
        path: the file.
        name: id of its object, from the metadata or the name of the file.
        band: its band, where the metadata have it; else its own column has, if there is one.
        named: the metadata name this file, so that its headers do not name the object.
    """

    path: Path
    name: str
    band: str = ""
    named: bool = False


@dataclass(frozen=True)
class Plan:
    """What to read, and what not.

    Attributes:
        files: in the order of reading.
        unlisted: files that the metadata do not name.
        missing: names of files that are in the metadata and nowhere else.
    """

    files: tuple[ObjectFile, ...]
    unlisted: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()


def plan_objects(files: list[Path], catalogue: Catalogue | None, profile: Profile) -> Plan:
    """Which file belongs to which object.

    Files are named in the metadata's column ``file`` (or ``path``, ``filename``), or carry
    the object's id as their stem; a profile may say which part of it.

    Raises:
        DataAnomalyError: two files have the same id, or a file belongs to two objects.
        DataNotFoundError: none of the files that the metadata name is there.
    """
    if catalogue is None or catalogue.file_column is None:
        seen: dict[tuple[str, str], Path] = {}
        planned = []
        ends = _bands_of_stars(files, catalogue) if profile.has_usual_names else {}
        for path in files:
            name, band = stem_of(path), _band_of(path, profile)
            if path in ends and not band:
                name, band = name[: -len(ends[path]) - 1], ends[path]
            if profile.id.file and (found := re.search(profile.id.file, name)):
                name = found[1]
            other = seen.setdefault((name, band), path)
            if other is not path and not profile.id.file:
                raise DataAnomalyError(
                    f"{other} and {path} are both called {stem_of(path)!r}, which is to be the "
                    "id of one object. Rename one, or name the files in a column `file` of the "
                    "metadata."
                )
            planned.append(ObjectFile(path, name, band))
        return Plan(tuple(planned))
    return _named_in(catalogue, catalogue.file_column, files)


def read_objects(
    plan: Plan,
    config: SurveyConfig,
    understood: Understood,
    known: set[str] | None,
    njobs: int,
) -> Iterator[ObservationRows]:
    """The light curves of all files, in their order.

    Args:
        plan: the files.
        config: names of the columns.
        understood: has the profile; counts what is read.
        known: ids in the metadata, where there are any; what a FITS header calls its object is
            the id if it is among them, or if there are none.
        njobs: files read at a time.

    Raises:
        RecordError, DataAnomalyError: a file is damaged, or lacks a column.
    """
    if any(kind_of(file.path) == FITS for file in plan.files):
        njobs = 1  # astropy reads in Python, where threads wait for each other
    profile = understood.choice.profile
    parts = map_ahead(lambda file: read_object(file, config, profile, known), plan.files, njobs)
    for source, named_by, found in parts:
        if source is not None:
            understood.add_source(source, named_by)
        for rows in found:
            if source is not None:
                understood.add(rows, source)
            yield rows


def read_object(
    file: ObjectFile, config: SurveyConfig, profile: Profile, known: set[str] | None
) -> tuple[Source | None, str, list[ObservationRows]]:
    """One file as one light curve, or as one in each band; and what names it."""
    table = open_rows(file.path, config, profile)
    if not table.names:
        nothing = np.empty(0)
        return None, "", [ObservationRows(file.name, file.band, "", nothing, nothing, nothing)]
    source = open_source(table, config, profile)
    columns = source.columns
    if file.named and file.band:
        columns = replace(columns, band=None)
    if not profile.id.file_each or file.named:
        columns = replace(columns, id=None, id_parts=())
    source = replace(source, columns=columns)
    name, named_by = file.name, "the metadata" if file.named else "the file's name"
    if not file.named:
        objects = [str(table.header[k]).strip() for k in profile.id.header if k in table.header]
        candidates = (*objects, *getattr(table, "objects", ()), name)
        name = next((c for c in candidates if known is None or c in known), name)
        named_by = "the file's header" if name in candidates[:-1] else named_by
    blocks = [make() for make in source.blocks()]
    if not blocks:
        nothing = np.empty(0)
        return source, named_by, [ObservationRows(name, file.band, "", nothing, nothing, nothing)]
    found = observations_of(pa.concat_tables(blocks), source, name, file.band)
    return source, named_by, [_named_by_file(rows, name) for rows in found]


def _named_by_file(rows: ObservationRows, name: str) -> ObservationRows:
    """A column of ids with one value says less than the file's name."""
    if isinstance(rows.ids, str) or len(pc.unique(rows.ids)) > 1:
        return rows
    return replace(rows, ids=name)


def _named_in(catalogue: Catalogue, file_column: str, files: list[Path]) -> Plan:
    folders = [*dict.fromkeys(path.parent for path in files), catalogue.path.parent]
    by_name = {path.name: path for path in files}
    ids = catalogue.texts(catalogue.id_column(stem_of(path) for path in files))
    bands = catalogue.bands or [""] * len(catalogue)
    planned: dict[Path, ObjectFile] = {}
    missing = []
    for name, band, given in zip(ids, bands, catalogue.texts(file_column), strict=True):
        path = by_name.get(given) or next(
            (p / given for p in folders if (p / given).is_file()), None
        )
        if path is None or not given:
            missing.append(given)
            continue
        before = planned.get(path)
        if before is not None and before.name != name:
            raise DataAnomalyError(
                f"{catalogue.path} names {path} for {before.name!r} and for {name!r}: each file "
                "holds one object. Correct the table."
            )
        # Where several rows name one file, its own column must have the band.
        band = band if before is None else ""
        planned[path] = ObjectFile(path, name, band, named=True)
    if not planned:
        raise DataNotFoundError(
            f"none of the {len(missing)} file(s) that {catalogue.path} names in its column "
            f"{file_column} is there, for instance {missing[0]!r} in {folders[0]}."
        )
    found = {path.resolve() for path in planned}
    unlisted = tuple(path for path in files if path.resolve() not in found)
    return Plan(tuple(planned.values()), unlisted, tuple(missing))
