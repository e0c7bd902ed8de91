"""Embeds the light curves of a fold with a pushed model, as a Parquet table."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from astromer.cli import Parser, run_program
from astromer.errors import DataNotFoundError, ModelError, UsageError


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="python -m astromer.embed", description=__doc__)
    parser.add_argument(
        "--model", required=True, help="a SavedModel, or a folder of versions (newest is taken)"
    )
    parser.add_argument("--data", required=True, help="a fold folder, or one folder of records")
    parser.add_argument("--out", required=True, help="the Parquet file to write")
    parser.add_argument("--bs", type=int, default=64, help="light curves per call (default: 64)")
    return parser.parse_args(arguments)


def embed(args: argparse.Namespace) -> Path:
    """Writes one row per light curve: id, split, label, class, counts, status, mean and max.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    out = Path(args.out)
    if args.bs < 1:
        raise UsageError(f"--bs must be at least 1. Received: {args.bs}.")
    if not Path(args.model).exists():
        raise ModelError(f"--model must exist. Received: {args.model}. Train one with `make run`.")
    files = _record_files(Path(args.data))

    from astromer.logs import silence

    silence()
    import pyarrow as pa
    import pyarrow.parquet as pq

    from astromer.embedder import Embedder
    from astromer.records.reader import read_light_curves

    embedder = Embedder(args.model)
    tables = []
    for split, paths in files.items():
        curves = read_light_curves(paths, progress=True)
        embeddings = embedder.embed(curves, batch_size=args.bs)
        columns = {
            "id": embeddings.ids,
            "split": [split] * len(curves),
            "label": curves.labels,
            "class": curves.class_names,
            "num_observations": embeddings.num_observations,
            "status": embeddings.status,
            "mean": list(embeddings.mean),
            "max": list(embeddings.max),
        }
        tables.append(pa.table(columns))
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        pq.write_table(pa.concat_tables(tables), partial)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    rows = sum(len(table) for table in tables)
    print(f"{rows} embeddings of {embedder.path} in {out}")
    return out


def _record_files(data: Path) -> dict[str, list[Path]]:
    """Record files by split; a folder that holds records itself is one split of its own name."""
    from astromer.records.fold import Fold

    if not data.is_dir():
        raise DataNotFoundError(f"--data must be a folder. Received: {data}.")
    own = sorted(p for p in data.iterdir() if p.suffix in (".record", ".tfrecord"))
    if own:
        return {data.name: own}
    return {split: list(paths) for split, paths in Fold.open(data).files.items()}


def main() -> None:
    """``python -m astromer.embed --model MODEL --data FOLD --out FILE``."""
    embed(parse())


if __name__ == "__main__":
    run_program(main)
