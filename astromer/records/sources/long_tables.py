"""Tables that hold the observations of many objects, told apart by a column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from astromer.records.sources.columns import find_columns
from astromer.records.sources.observations import (
    Observations,
    columns_to_read,
    observations_of,
)
from astromer.records.sources.tables import open_table
from astromer.records.survey_config import SurveyConfig
from astromer.system.errors import DataAnomalyError
from astromer.system.parallel import map_ahead


def read_long(files: list[Path], config: SurveyConfig, njobs: int) -> Iterator[Observations]:
    """The observations of long tables, a bounded number at a time.

    Raises:
        RecordError: a file is damaged.
        DataAnomalyError: it lacks a column.
    """
    for path in files:
        table = open_table(path, config.columns)
        if not table.names:
            raise DataAnomalyError(f"{path} has no rows: there are no light curves in it.")
        columns = find_columns(path, table.names, config)
        if columns.id is None:
            raise DataAnomalyError(
                f"{path} has no column that tells the object; it has {', '.join(table.names)}. "
                "Call it ID, or name it in config.toml as [id_column] value. Files of one object "
                "each belong in a folder."
            )
        blocks = table.blocks(*columns_to_read(table, columns))
        for block in map_ahead(lambda make: make(), blocks, njobs):
            yield observations_of(block, table, columns)
