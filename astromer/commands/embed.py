"""Embeds light curves with a pushed model, as a Parquet table."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Iterator
from pathlib import Path

from astromer.commands.cli import Parser, run_program
from astromer.system.atomic import replace_file
from astromer.system.errors import DataNotFoundError, ModelError, UsageError
from astromer.system.storage import as_path

if typing.TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from astromer.light_curves import LightCurves
    from astromer.serving.embedder import Embeddings

    Part = tuple[str, LightCurves, np.ndarray]

_TABLES = (".parquet", ".csv")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="astromer embed", description=__doc__)
    parser.add_argument(
        "--model", required=True, help="a SavedModel, or a folder of versions (newest is taken)"
    )
    parser.add_argument(
        "--data",
        required=True,
        help="a fold folder, one folder of records, or a Parquet or CSV table of observations with "
        "columns id, mjd, mag and errmag, those of a light curve together",
    )
    parser.add_argument("--out", required=True, help="the Parquet file to write")
    parser.add_argument(
        "--bs", type=int, default=1024, help="light curves per call (default: 1024)"
    )
    parser.add_argument(
        "--id-column", help="the table's column of ids (default: the one called id, ID or newID)"
    )
    return parser.parse_args(arguments)


def embed(args: argparse.Namespace) -> Path:
    """Writes one row per light curve: id, split, label, class, counts, status, mean and max.

    Light curves are read, embedded and written some hundreds at a time.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    out = as_path(args.out)
    if args.bs < 1:
        raise UsageError(f"--bs must be at least 1. Received: {args.bs}.")
    if out.is_dir():
        raise UsageError(f"--out must be a file. Received: {out}, which is a folder.")
    if not as_path(args.model).exists():
        raise ModelError(f"--model must exist. Received: {args.model}. Train one with `make run`.")
    data = as_path(args.data)
    if args.id_column and data.suffix not in _TABLES:
        raise UsageError(f"--id-column is for a Parquet or CSV table. Received: --data {data}.")
    files = {} if data.suffix in _TABLES and data.is_file() else _record_files(data)

    from astromer.system.logs import silence

    silence()
    import astromer
    from astromer.system.parallel import claim_cores

    claim_cores()
    embedder = astromer.load(args.model)
    import pyarrow.parquet as pq

    from astromer.records.framing import estimate_records
    from astromer.system.terminal import progress_bar

    out.parent.mkdir(parents=True, exist_ok=True)
    width, rows, writer = embedder.config["encoder"]["d_model"], 0, None
    total = estimate_records(file for paths in files.values() for file in paths)
    parts = _from_records(files) if files else _from_table(data, args.id_column)
    with replace_file(out, shared=True) as partial, partial.open("wb") as stream:
        with progress_bar(total=total, desc="embedding", unit="curves") as bar:
            for split, curves, problem in parts:
                found = embedder.embed_packed(curves, batch_size=args.bs, progress=False)
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


def main() -> None:
    """``astromer embed --model MODEL --data FOLD --out FILE``."""
    embed(parse())


if __name__ == "__main__":
    run_program(main)
