"""Makes one HTML page to explore a survey by its embeddings, in a browser and without a network.

astromer explore --data SURVEY [--embeddings FILE] [--out FILE]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from astromer.commands.cli import parse_config
from astromer.commands.config import MODEL
from astromer.records.config import SurveyOptions
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.environment import require
from astromer.system.errors import UsageError
from astromer.system.storage import as_path

if TYPE_CHECKING:
    from astromer.light_curves import LightCurves

MAPS = ("auto", "tsne", "pca")


@dataclass(frozen=True)
class ExploreOptions(Config):
    """Table, light curves and output."""

    data: str = knob(REQUIRED, "the light curves that were embedded: a fold, or a survey", "--data")
    embeddings: str = knob(
        "",
        "the table that astromer embed wrote of them; without it they are embedded now, into a "
        "table beside the page",
        "--embeddings",
        metavar="FILE",
    )
    model: str = MODEL
    out: str = knob("explore.html", "the page", "--out", metavar="FILE")
    labels: str = knob(
        "",
        "labels by hand, a CSV with the columns id and label, as the page saves it: other objects "
        "get the class that these suggest, and the page goes through the uncertain ones",
        "--labels",
        metavar="FILE",
    )
    map: str = knob(
        "auto", "of the embeddings; auto is t-SNE up to 10,000 objects, else PCA", "--map",
        choices=MAPS,
    )  # fmt: skip
    seed: int = knob(0, "of the map, and of the sample of large surveys", "--seed")
    reading: SurveyOptions = SurveyOptions()


def parse(arguments: list[str] | None = None) -> ExploreOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        ExploreOptions,
        arguments,
        prog="astromer explore",
        description=(__doc__ or "").split("\n")[0],
        epilog="A page has 20,000 objects at most, 300 observations of each, and 30 MB.",
    )


def main(arguments: list[str] | None = None) -> None:
    """Writes the page, and says where it is.

    Raises:
        AstromerError: for bad options, tables or data; see the subclasses.
    """
    options = parse(arguments)
    require("plots", "jinja2", "sklearn")
    data, out = as_path(options.data).expanduser(), as_path(options.out).expanduser()
    if out.is_dir():
        raise UsageError(f"--out must be a file. Received: {out}, which is a folder.")
    from astromer.system.logs import silence

    silence()
    from astromer.explore.outliers import find_outliers
    from astromer.explore.page import read_labels, write_explorer
    from astromer.serving.embedding_table import EmbeddingTable
    from astromer.system.atomic import replace_file
    from astromer.system.terminal import say

    out.parent.mkdir(parents=True, exist_ok=True)
    table = EmbeddingTable(as_path(options.embeddings or _embed(options, out)))
    labels = read_labels(as_path(options.labels)) if options.labels else {}
    found = find_outliers(table, options.seed)
    curves = _read(data, options)
    with replace_file(out, shared=True) as partial:
        page = write_explorer(
            table,
            curves,
            found,
            partial,
            title=_title(data),
            method=options.map,
            labels=labels,
            seed=options.seed,
        )
        if not page.drawn:
            raise UsageError(
                f"--data must hold the light curves of --embeddings. Received: {data}, which has "
                f"none of the ids (and bands) of {table.path}."
            )
    size = out.stat().st_size / 1e6
    part = "" if page.shown == len(table) else f" of {len(table):,}"
    say(f"{page.shown:,}{part} objects, {page.points} observations of each at most, {size:.1f} MB")
    if page.drawn < page.shown:
        say(f"{page.shown - page.drawn:,} of them have no light curve in {data}")
    say(f"page: {out}")


def _embed(options: ExploreOptions, out: Path) -> Path:
    """A table of embeddings beside the page."""
    from astromer.commands.embed import EmbedOptions, embed

    table = out.with_suffix(".parquet")
    return embed(
        EmbedOptions(
            data=options.data, model=options.model, out=str(table), reading=options.reading
        )
    )


def _title(data: Path) -> str:
    whole = data.absolute()
    return f"{whole.parent.name}/{whole.name}" if whole.name.startswith("fold_") else whole.stem


def _read(data: Path, options: ExploreOptions) -> LightCurves:
    """The light curves of records or of a survey."""
    import tempfile

    from astromer.commands.embed import describe_data, record_files
    from astromer.light_curves import LightCurves
    from astromer.records.reader import iterate_batches
    from astromer.records.sources.survey import read_curves

    if files := record_files(data):
        paths = [path for some in files.values() for path in some]
        return LightCurves.concatenate(list(iterate_batches(paths, strict=False)))
    with tempfile.TemporaryDirectory() as folder:
        parts = list(read_curves(describe_data(data, options.reading), Path(folder)))
    return LightCurves.concatenate(parts)
