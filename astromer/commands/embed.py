"""Embeds light curves with a pushed model, as a Parquet table."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from astromer.commands.cli import parse_config
from astromer.commands.config import MODEL
from astromer.serving.versions.folder import latest_version
from astromer.system.atomic import replace_file
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import DataNotFoundError, UsageError
from astromer.system.storage import as_path

if typing.TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from astromer.light_curves import LightCurves
    from astromer.serving.embedder import Embeddings

    Part = tuple[str, LightCurves, np.ndarray]

_TABLES = (".parquet", ".csv")


@dataclass(frozen=True)
class EmbedOptions(Config):
    """Model, data and output."""

    model: str = MODEL
    data: str = knob(
        REQUIRED,
        "a fold folder, one folder of records, or a Parquet or CSV table of observations with "
        "columns id, mjd, mag and errmag, those of a light curve together",
        "--data",
    )
    out: str = knob(REQUIRED, "the Parquet file to write", "--out", metavar="FILE")
    batch_size: int = knob(1024, "light curves per call", "--bs", bounds="[1, inf)")
    id_column: str = knob(
        "",
        "the table's column of ids (default: the one called id, ID or newID)",
        "--id-column",
        metavar="NAME",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.id_column and as_path(self.data).suffix not in _TABLES:
            raise UsageError(
                f"--id-column is for a Parquet or CSV table. Received: --data {self.data}."
            )


def parse(arguments: list[str] | None = None) -> EmbedOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(EmbedOptions, arguments, prog="astromer embed", description=__doc__)


def embed(options: EmbedOptions) -> Path:
    """Writes one row per light curve: id, split, label, class, counts, status, mean and max.

    A model that folds adds its period [days], the probability that noise has a peak as high, its
    embedding, and the periods and powers of the highest peaks.

    Light curves are read, embedded and written some hundreds at a time.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    out, data = as_path(options.out), as_path(options.data)
    if out.is_dir():
        raise UsageError(f"--out must be a file. Received: {out}, which is a folder.")
    model = latest_version(options.model)
    files = {} if data.suffix in _TABLES and data.is_file() else _record_files(data)

    from astromer.system.logs import silence

    silence()
    import astromer
    from astromer.system.parallel import claim_cores

    claim_cores()
    embedder = astromer.load(model)
    import pyarrow.parquet as pq

    from astromer.records.framing import estimate_records
    from astromer.system.terminal import progress_bar

    out.parent.mkdir(parents=True, exist_ok=True)
    width, rows, writer = embedder.config["encoder"]["d_model"], 0, None
    total = estimate_records(file for paths in files.values() for file in paths)
    parts = _from_records(files) if files else _from_table(data, options.id_column or None)
    with replace_file(out, shared=True) as partial, partial.open("wb") as stream:
        with progress_bar(total=total, desc="embedding", unit="curves") as bar:
            for split, curves, problem in parts:
                found = embedder.embed_packed(curves, batch_size=options.batch_size, progress=False)
                table = _table(split, curves, found, problem)
                writer = writer or pq.ParquetWriter(stream, table.schema)
                writer.write_table(table)
                rows += len(curves)
                bar.update(len(curves))
        if writer is None:
            raise DataNotFoundError(f"--data must have light curves. Received: {data}, with none.")
        writer.close()
    print(f"{rows} embeddings of width {width} by {embedder.path} in {out}")
    return out


def _from_records(files: dict[str, list[Path]]) -> Iterator[Part]:
    """Split, light curves, and what is wrong with the lists of each, as ``status`` has it."""
    import numpy as np

    from astromer.records.reader import iterate_batches
    from astromer.serving.graph_input import STATUS_OK, STATUS_UNEQUAL, STATUS_UNREADABLE

    for split, paths in files.items():
        for batch in iterate_batches(paths, strict=False):
            mjd, mag, errmag = batch.series_lengths
            equal = (mag == mjd) & ((errmag == mjd) | (errmag == 0))
            absent = (mjd == 0) | (mag == 0)
            problem = np.where(equal, STATUS_OK, STATUS_UNEQUAL)
            yield split, batch, np.where(absent, STATUS_UNREADABLE, problem)


def _from_table(path: Path, id_column: str | None) -> Iterator[Part]:
    import numpy as np

    from astromer.records.sources.long_tables import read_long_table

    for curves in read_long_table(path, id_column=id_column):
        yield "", curves, np.zeros(len(curves), int)


def _table(split: str, curves: LightCurves, found: Embeddings, problem: np.ndarray) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    folded: dict[str, pa.Array] = {}
    if found.periods is not None:  # of a model that folds
        vectors = {"embedding": found.embedding, "periods": found.periods, "powers": found.powers}
        folded = {
            "period": pa.array(found.periods[:, 0], pa.float64()),
            "false_alarm_probability": pa.array(found.false_alarm, pa.float64()),
            **{
                name: pa.array(list(values), pa.list_(pa.from_numpy_dtype(values.dtype)))
                for name, values in vectors.items()
            },
        }
    return pa.table(
        {
            "id": pa.array(found.ids.tolist(), pa.string()),
            "split": pa.array([split] * len(curves), pa.string()),
            "label": pa.array(curves.labels, pa.int64()),
            "class": pa.array(curves.class_names.tolist(), pa.string()),
            "num_observations": pa.array(found.num_observations, pa.int64()),
            "status": pa.array(np.where(problem, problem, found.status), pa.int32()),
            "mean": pa.array(list(found.mean), pa.list_(pa.float32())),
            "max": pa.array(list(found.max), pa.list_(pa.float32())),
            **folded,
        }
    )


def _record_files(data: Path) -> dict[str, list[Path]]:
    """Record files by split; a folder that holds records itself is one split of its own name."""
    from astromer.records.fold import Fold

    if not data.is_dir():
        raise DataNotFoundError(
            f"--data must be a folder of records, or a Parquet or CSV table. Received: {data}"
            f"{'' if data.exists() else ', which does not exist'}."
        )
    own = sorted(p for p in data.iterdir() if p.suffix in (".record", ".tfrecord"))
    if own:
        return {data.name: own}
    return {split: list(paths) for split, paths in Fold.open(data).files.items()}


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    embed(parse(arguments))
