"""Ranks the odd objects of a survey and says why; lists artefacts by themselves.

astromer outliers --embeddings FILE [--number 20] [--out FILE]
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from astromer.commands.cli import parse_config
from astromer.commands.config import EMBEDDINGS
from astromer.system.config import Config, knob
from astromer.system.storage import as_path

if TYPE_CHECKING:
    from astromer.explore.outliers import Outliers
    from astromer.serving.embedding_table import EmbeddingTable


@dataclass(frozen=True)
class OutlierOptions(Config):
    """Table and output."""

    embeddings: str = EMBEDDINGS
    number: int = knob(20, "how many objects to print", "--number", bounds="[1, inf)")
    out: str = knob(
        "", "write all objects as CSV: rank, id, score, reason, artefact", "--out", metavar="FILE"
    )
    seed: int = knob(
        0, "of the 10,000 objects that larger tables are compared with", "--seed", bounds="[0, inf)"
    )


def parse(arguments: list[str] | None = None) -> OutlierOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        OutlierOptions,
        arguments,
        prog="astromer outliers",
        description=(__doc__ or "").split("\n")[0],
    )


def main(arguments: list[str] | None = None) -> None:
    """Prints the oddest objects, and how many are probably artefacts.

    Raises:
        AstromerError: for bad options or tables; see the subclasses.
    """
    options = parse(arguments)
    from astromer.explore.outliers import find_outliers
    from astromer.serving.embedding_table import EmbeddingTable

    table = EmbeddingTable(as_path(options.embeddings))
    found = find_outliers(table, options.seed)
    top = found.ranking[: options.number]
    width = max([len(name) for name in table.ids[top].tolist()] + [2])
    print(f"{'rank':>4}  {'id':{width}}  score  reason")
    for rank, row in enumerate(top.tolist(), 1):
        print(f"{rank:4}  {table.ids[row]:{width}}  {found.score[row]:5.2f}  {found.reason[row]}")
    kinds = Counter(found.artefact[found.artefacts].tolist())
    parts = ", ".join(f"{name} {count}" for name, count in kinds.most_common())
    print(f"artefacts: {len(found.artefacts)} of {len(table)}" + (f" ({parts})" if parts else ""))
    if options.out:
        write_outliers(options.out, table, found)
        print(f"all objects: {options.out}")


def write_outliers(file: str, table: EmbeddingTable, found: Outliers) -> None:
    """Writes a line for each object: the ranking, then the artefacts."""
    import csv

    import numpy as np

    from astromer.system.atomic import replace_file

    ranks = {row: rank for rank, row in enumerate(found.ranking.tolist(), 1)}
    rows = [*ranks, *found.artefacts.tolist()]
    with replace_file(as_path(file), shared=True) as partial, partial.open("w") as stream:
        writer = csv.writer(stream)
        writer.writerow(["rank", "id", "score", "respect", "reason", "isolation", "artefact"])
        for row in rows:
            score = "" if row not in ranks else f"{found.score[row]:.4f}"
            isolation = found.isolation[row]
            writer.writerow(
                [
                    ranks.get(row, ""),
                    table.ids[row],
                    score,
                    found.respect[row],
                    found.reason[row],
                    "" if np.isnan(isolation) else f"{isolation:.3f}",
                    found.artefact[row],
                ]
            )
