"""Finds the objects of a survey that are most like others, by their embeddings.

astromer similar --embeddings FILE --to ID [ID ...] [--number 20]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from astromer.commands.cli import parse_config
from astromer.commands.config import EMBEDDINGS, MODEL
from astromer.commands.model import chosen_model
from astromer.system.config import Config, knob
from astromer.system.errors import LightCurveError, UsageError
from astromer.system.storage import as_path

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from astromer.light_curves import LightCurves
    from astromer.serving.embedding_table import EmbeddingTable, Neighbours


@dataclass(frozen=True)
class SimilarOptions(Config):
    """What is sought, and where."""

    embeddings: str = EMBEDDINGS
    to: tuple[str, ...] = knob((), "ids of objects of the table", "--to", metavar="ID")
    curve: str = knob(
        "",
        "instead of --to: a file of one light curve, or of some, which are embedded with --model",
        "--curve",
        metavar="FILE",
    )
    number: int = knob(20, "how many neighbours", "--number", bounds="[1, inf)")
    out: str = knob("", "also write them as CSV", "--out", metavar="FILE")
    model: str = MODEL

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.to) == bool(self.curve):
            received = "both" if self.to else "neither"
            raise UsageError(f"--to or --curve must be given. Received: {received}.")


def parse(arguments: list[str] | None = None) -> SimilarOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        SimilarOptions,
        arguments,
        prog="astromer similar",
        description=(__doc__ or "").split("\n")[0],
        epilog="Distances are in standard deviations of the survey: 0 is the same light curve, "
        "1.4 are two objects at random.",
    )


def main(arguments: list[str] | None = None) -> None:
    """Prints the neighbours, the nearest first.

    Raises:
        AstromerError: for bad options, tables or light curves; see the subclasses.
    """
    options = parse(arguments)
    from astromer.system.logs import silence

    silence()
    from astromer.serving.embedding_table import EmbeddingTable

    table = EmbeddingTable(as_path(options.embeddings))
    vectors = _embed(options, table) if options.curve else None
    found = table.similar(options.to, options.number, vectors=vectors)
    lines = _lines(table, found)
    print("\n".join(lines))
    if options.out:
        _write(options.out, found)


def _embed(options: SimilarOptions, table: EmbeddingTable) -> np.ndarray:
    """float32 [n, width], the embeddings of light curves in a file, by the table's model."""
    model = chosen_model(options.model)

    from astromer.serving.starter.package import identity_of

    sha256 = identity_of(model).sha256
    if sha256 != table.model.get("sha256"):
        raise UsageError(
            "--model must be the model that made the table. Received: weights "
            f"{sha256[:12] or 'unknown'}, and a table by {table.model.get('name', 'none')} "
            f"{table.model.get('version', '')} ({str(table.model.get('sha256', ''))[:12]})."
        )
    import astromer

    curves = _read(as_path(options.curve).expanduser())
    embedded = astromer.load(model).embed_packed(curves, progress=False)
    if not len(curves) or (embedded.status != 0).all():
        raise LightCurveError(
            "--curve must hold a light curve of five usable observations or more. Received: "
            f"{options.curve}, with {len(curves)} light curves."
        )
    return embedded.vectors[embedded.status == 0]


def _read(path: Path) -> LightCurves:
    """The light curves of a file, which needs no column of ids, or of a folder."""
    import shutil
    import tempfile

    import astromer

    if not path.is_file():
        return astromer.read(path, quiet=True)
    with tempfile.TemporaryDirectory() as folder:  # a file of one object belongs in a folder
        shutil.copy(path, folder)
        return astromer.read(folder, quiet=True)


def _lines(table: EmbeddingTable, found: Neighbours) -> list[str]:
    """A heading and a line for each neighbour."""
    shown = [name for name in ("class", "period", "amplitude") if name in table.columns]
    columns = {name: table.column(name)[found.positions] for name in shown}
    width = max([len(one) for one in found.ids.tolist()] + [2])
    heads = {
        "class": f"{'class':12}",
        "period": f"{'period':>10}",
        "amplitude": f"{'amplitude':>10}",
    }
    lines = [f"{'id':{width}}  distance  " + " ".join(heads[name] for name in shown).rstrip()]
    cells = {
        "class": lambda value: f"{value or '-':12}",
        "period": lambda value: f"{value:10.5g}",
        "amplitude": lambda value: f"{value:10.3f}",
    }
    for row in range(len(found)):
        more = " ".join(cells[name](columns[name][row]) for name in shown)
        lines.append(f"{found.ids[row]:{width}}  {found.distances[row]:8.3f}  {more}".rstrip())
    return lines


def _write(file: str, found: Neighbours) -> None:
    import csv

    from astromer.system.atomic import replace_file

    with replace_file(as_path(file), shared=True) as partial, partial.open("w") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "distance", "row"])
        writer.writerows(
            zip(found.ids.tolist(), found.distances.tolist(), found.positions.tolist())
        )
