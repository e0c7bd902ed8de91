"""A folder with a file for each light curve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from astromer.records.sources.catalogue import Catalogue
from astromer.records.sources.columns import find_columns
from astromer.records.sources.files import FITS, kind_of, stem_of
from astromer.records.sources.observations import (
    Observations,
    columns_to_read,
    observations_of,
)
from astromer.records.sources.tables import open_table
from astromer.records.survey_config import SurveyConfig
from astromer.system.errors import DataAnomalyError, DataNotFoundError
from astromer.system.parallel import map_ahead


@dataclass(frozen=True)
class ObjectFile:
    """A file and what is known of it before it is read.

    Attributes:
        path: the file.
        name: id of its object, from the metadata or the name of the file.
        band: its band, where the metadata tell; else its own column does, if it has one.
        named: the metadata name this file, so that nothing inside it tells the object.
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


def plan_objects(files: list[Path], catalogue: Catalogue | None) -> Plan:
    """Which file belongs to which object.

    Files are named in the metadata's column ``file`` (or ``path``, ``filename``), or carry
    the object's id as their stem.

    Raises:
        DataAnomalyError: two files have the same id, or a file belongs to two objects.
        DataNotFoundError: none of the files that the metadata name is there.
    """
    if catalogue is None or catalogue.file_column is None:
        seen: dict[str, Path] = {}
        for path in files:
            other = seen.setdefault(stem_of(path), path)
            if other is not path:
                raise DataAnomalyError(
                    f"{other} and {path} are both called {stem_of(path)!r}, which is to be the "
                    "id of one object. Rename one, or name the files in a column `file` of the "
                    "metadata."
                )
        return Plan(tuple(ObjectFile(path, name) for name, path in seen.items()))
    return _named_in(catalogue, catalogue.file_column, files)


def read_objects(
    plan: Plan, config: SurveyConfig, known: set[str] | None, njobs: int
) -> Iterator[Observations]:
    """The light curves of all files, in their order.

    Args:
        plan: the files.
        config: names of the columns.
        known: ids in the metadata, where there are any; what a FITS header calls its object is
            the id if it is among them, or if there are none.
        njobs: files read at a time.

    Raises:
        RecordError, DataAnomalyError: a file is damaged, or lacks a column.
    """
    if any(kind_of(file.path) == FITS for file in plan.files):
        njobs = 1  # astropy reads in Python, where threads wait for each other
    yield from map_ahead(lambda file: read_object(file, config, known), plan.files, njobs)


def read_object(file: ObjectFile, config: SurveyConfig, known: set[str] | None) -> Observations:
    """One file as one light curve, or as one in each band."""
    table = open_table(file.path, config.columns)
    nothing = np.empty(0)
    if not table.names:
        return Observations(file.name, file.band, "", nothing, nothing, nothing)
    columns = replace(find_columns(file.path, table.names, config), id=None)
    if file.band:
        columns = replace(columns, band=None)
    name = file.name
    if not file.named:
        candidates = (*getattr(table, "objects", ()), name)
        name = next((c for c in candidates if known is None or c in known), name)
    blocks = [make() for make in table.blocks(*columns_to_read(table, columns))]
    if not blocks:
        return Observations(name, file.band, "", nothing, nothing, nothing)
    return observations_of(pa.concat_tables(blocks), table, columns, name, file.band)


def _named_in(catalogue: Catalogue, file_column: str, files: list[Path]) -> Plan:
    places = [*dict.fromkeys(path.parent for path in files), catalogue.path.parent]
    by_name = {path.name: path for path in files}
    ids = catalogue.texts(catalogue.id_column(stem_of(path) for path in files))
    bands = catalogue.bands or [""] * len(catalogue)
    planned: dict[Path, ObjectFile] = {}
    missing = []
    for name, band, given in zip(ids, bands, catalogue.texts(file_column), strict=True):
        path = by_name.get(given) or next(
            (p / given for p in places if (p / given).is_file()), None
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
        # Where several rows name one file, its own column must tell the band.
        band = band if before is None else ""
        planned[path] = ObjectFile(path, name, band, named=True)
    if not planned:
        raise DataNotFoundError(
            f"none of the {len(missing)} file(s) that {catalogue.path} names in its column "
            f"{file_column} is there, for instance {missing[0]!r} in {places[0]}."
        )
    found = {path.resolve() for path in planned}
    unlisted = tuple(path for path in files if path.resolve() not in found)
    return Plan(tuple(planned.values()), unlisted, tuple(missing))
