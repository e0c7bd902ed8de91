"""The metadata table of a survey whose observations do not carry its row numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from astromer.records.sources.columns import BAND, CLASS, FILE, ID, first_of
from astromer.records.sources.files import stem_of
from astromer.records.sources.tables import open_table
from astromer.records.survey_config import SurveyConfig
from astromer.system.errors import DataAnomalyError


@dataclass(frozen=True)
class Catalogue:
    """One row per light curve, or per star.

    Attributes:
        path: the file.
        table: its columns; ids, files, classes and bands are strings.
        in_test: for each row, whether the separate test table lists it.
        stated_id: the id column that the config names, if it does.
    """

    path: Path
    table: pa.Table
    in_test: tuple[bool, ...]
    stated_id: str | None

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def bands(self) -> list[str] | None:
        """Band of each row, where there is such a column."""
        name = first_of(self.table.column_names, BAND)
        return None if name is None else self.texts(name)

    @property
    def file_column(self) -> str | None:
        """The column that names files."""
        return first_of(self.table.column_names, FILE)

    def texts(self, name: str) -> list[str]:
        """A column as strings, empty where there is no value."""
        return [(value or "").strip() for value in self.table.column(name).to_pylist()]

    def possible_ids(self) -> list[str]:
        """Columns that may hold the objects' ids."""
        return [self.stated_id] if self.stated_id else id_columns(self.table.column_names)

    def id_column(self, observed: Iterable[str]) -> str:
        """The column that names the objects: the stated one, or the one with most matches.

        Args:
            observed: ids that light curves have.

        Raises:
            DataAnomalyError: there is none.
        """
        names = self.possible_ids()
        if not names:
            raise DataAnomalyError(
                f"{self.path} has no column with the objects' ids; it has "
                f"{', '.join(self.table.column_names)}. Call it ID, or name it in config.toml as "
                "[id_column] value."
            )
        known = set(observed)
        matches = [sum(text in known for text in self.texts(name)) for name in names]
        return names[matches.index(max(matches))]

    def refuse_repeats(self, ids: list[str]) -> None:
        """Raises DataAnomalyError where two rows have the same id and band, or one has no id."""
        empty = sum(not name for name in ids)
        if empty:
            raise DataAnomalyError(
                f"{self.path}: {empty} row(s) have no id; every light curve needs one."
            )
        counts = Counter(zip(ids, self.bands or [""] * len(ids), strict=True))
        repeated = [key for key, count in counts.items() if count > 1]
        if repeated:
            name, band = repeated[0]
            of_band = f" in band {band}" if band else ""
            raise DataAnomalyError(
                f"{self.path}: ids must be unique in each band, but {len(repeated)} occur more "
                f"than once, for instance {name!r}{of_band} {counts[name, band]} times."
            )


def id_columns(names: list[str]) -> list[str]:
    """All columns that usually hold ids, the likeliest first."""
    by_lower = {name.lower(): name for name in reversed(names)}
    return [by_lower[name] for name in ID if name in by_lower]


def read_catalogue(config: SurveyConfig) -> Catalogue | None:
    """Reads the metadata table and the test table, whatever their format.

    Raises:
        RecordError, DataAnomalyError: a table cannot be read, or has no rows.
    """
    if config.metadata is None:
        return None
    table = _read(config.metadata, config)
    in_test = [False] * table.num_rows
    stated = config.id_column if config.described else None
    if stated is not None and stated not in table.column_names:
        raise DataAnomalyError(
            f"{config.metadata} lacks the column {stated}; it has {', '.join(table.column_names)}."
        )
    if config.test_metadata is not None:
        test = _read(config.test_metadata, config)
        name = stated or next(iter(id_columns(test.column_names)), None)
        if name is None or name not in table.column_names or name not in test.column_names:
            raise DataAnomalyError(
                f"{config.test_metadata} and {config.metadata} have no id column in common."
            )
        listed = set(test.column(name).to_pylist())
        table = table.filter(pa.array([v not in listed for v in table.column(name).to_pylist()]))
        in_test = [False] * table.num_rows + [True] * test.num_rows
        table = pa.concat_tables([table, test], promote=True)
    return Catalogue(config.metadata, table.combine_chunks(), tuple(in_test), stated)


def _read(path: Path, config: SurveyConfig) -> pa.Table:
    opened = open_table(path)
    names = list(opened.names)
    texts = {*id_columns(names), first_of(names, FILE), first_of(names, BAND)}
    texts |= {first_of(names, CLASS[:-1]), config.id_column}
    table = opened.read([name for name in names if name in texts])
    if table.num_rows == 0:
        raise DataAnomalyError(f"{path} has no rows: there are no light curves in the survey.")
    file_column = first_of(names, FILE)
    if file_column and not id_columns(names) and config.id_column not in names:
        stems = [stem_of(Path(name or "")) for name in table.column(file_column).to_pylist()]
        table = table.append_column("ID", pa.array(stems))
    return table
