"""Embeds light curves with a pushed model, as a Parquet table."""

from __future__ import annotations

import math
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from astromer import __version__
from astromer.commands.cli import joined, parse_config
from astromer.commands.config import MODEL
from astromer.commands.model import chosen_model
from astromer.records.config import SurveyOptions
from astromer.serving.config import EXPORTS
from astromer.serving.starter.package import is_starter
from astromer.system.atomic import replace_file
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import DataAnomalyError, DataNotFoundError, UsageError
from astromer.system.storage import as_path

if typing.TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from astromer.light_curves import LightCurves
    from astromer.records.survey_config import SurveyConfig
    from astromer.serving.embedder import Embedder, Embeddings
    from astromer.serving.starter.package import ModelIdentity

Part = tuple[str, "LightCurves", "np.ndarray"]
"""Split, light curves, and int [num_curves], what is wrong with each; 0 for nothing."""


@dataclass(frozen=True)
class EmbedOptions(Config):
    """Model, data and output."""

    data: str = knob(
        REQUIRED,
        "a fold folder, one folder of records, or a survey as create_records takes it: a table of "
        "observations, or a folder of tables",
        "--data",
    )
    model: str = MODEL
    out: str = knob("", "the Parquet file to write", "--out", metavar="FILE")
    periods: str = knob(
        "",
        "table of known periods [days], with a column of ids, to fold at; others are searched",
        "--periods",
        metavar="FILE",
    )
    export: str = knob(
        "",
        "the same table for TOPCAT: FITS (.fits) or VOTable (.vot)",
        "--export",
        metavar="FILE",
    )
    batch_size: int = knob(1024, "light curves per call", "--bs", bounds="[1, inf)")
    beam: tuple[str, ...] = knob(
        (),
        'options of Apache Beam, for instance "--runner=FlinkRunner --flink_master=HOST:8081": its '
        "workers embed the survey, and --out is a folder of Parquet files (docs/run_on_beam.md)",
        "--beam",
        metavar="OPTIONS",
    )
    shard_curves: int = knob(
        5120,
        "objects in each file that --beam writes; what a worker holds, and what is done again when "
        "it is lost",
        "--shard-curves",
        bounds="[1, inf)",
    )
    dry_run: bool = knob(False, "say what is understood of the survey, and stop", "--dry-run")
    reading: SurveyOptions = SurveyOptions()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.out and not self.dry_run:
            raise UsageError("--out must be a file. Received: none.")
        if self.beam and self.export:
            raise UsageError("--export is for a single file. Received: --beam, too. Leave one out.")
        if self.export and not self.export.lower().endswith(EXPORTS):
            raise UsageError(
                f"--export must end with {', '.join(EXPORTS)}. Received: {self.export}."
            )


def parse(arguments: list[str] | None = None) -> EmbedOptions:
    """Reads the options. Imports nothing heavy."""
    words = joined(sys.argv[1:] if arguments is None else arguments, "--beam")
    return parse_config(EmbedOptions, words, prog="astromer embed", description=__doc__)


def embed(options: EmbedOptions) -> Path:
    """Writes one row per light curve: id, band, split, label, class, counts, status, mean, max.

    A model that folds adds its period [days], the probability that noise has a peak as high, its
    embedding, and the periods and powers of the highest peaks.

    Light curves are read, embedded and written some hundreds at a time.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    if options.beam:
        # The one way up from the science: Beam, and what knows it, are not part of it.
        from pipeline.embed_on_beam import embed_on_beam

        return embed_on_beam(options)
    out, data = as_path(options.out), as_path(options.data)
    if out.is_dir():
        raise UsageError(f"--out must be a file. Received: {out}, which is a folder.")
    model = chosen_model(options.model)
    known = known_periods(options.periods)
    files = record_files(data)
    if files and options.reading.id_column:
        raise UsageError(f"--id-column is for a survey. Received: --data {data}, with records.")

    from astromer.system.logs import silence

    silence()
    import astromer
    from astromer.system.parallel import claim_cores

    claim_cores()
    embedder = astromer.load(model)
    import pyarrow.parquet as pq

    from astromer.records.framing import estimate_records
    from astromer.system.terminal import progress_bar

    check = embedder.range_check()
    out.parent.mkdir(parents=True, exist_ok=True)
    rows, matched, writer = 0, 0, None
    total = estimate_records(file for paths in files.values() for file in paths)
    parts = parts_of_records(files) if files else _from_survey(data, options.reading, out.parent)
    with (
        replace_file(out, shared=True) as partial,
        partial.open("wb") as stream,
        ExitStack() as opened,  # a writer that is left open complains once the stream is closed
    ):
        with progress_bar(total=total, desc="embedding", unit="curves") as bar:
            for split, curves, problem in parts:
                check.add(curves)
                table = embed_part(embedder, (split, curves, problem), known, options.batch_size)
                if writer is None:
                    writer = opened.enter_context(pq.ParquetWriter(stream, table.schema))
                writer.write_table(table)
                rows += len(curves)
                if known:
                    matched += sum(math.isfinite(known.get(name, math.nan)) for name in curves.ids)
                bar.update(len(curves))
        if writer is None:
            raise DataNotFoundError(f"--data must have light curves. Received: {data}, with none.")
        if known and not matched:
            raise DataAnomalyError(
                f"--periods must list the survey's light curves. Received: {options.periods}, with "
                f"other ids, such as {next(iter(known))!r}. Give them the same ids."
            )
    for line in check.warnings():
        print(f"warning: {line}", file=sys.stderr)
    if known:
        print(f"{matched} of {rows} light curves were folded at known periods ({options.periods})")
    if options.export:
        from astromer.serving.embedding_table import EmbeddingTable

        EmbeddingTable(out).export(as_path(options.export))
    made_by = embedder.identity.title if is_starter(embedder.path) else embedder.path
    print(f"{rows} embeddings of width {width_of(table)} by {made_by} in {out}")
    return out


def width_of(table: pa.Table) -> int:
    """How many numbers the vectors of a table have, which has rows."""
    name = "embedding" if "embedding" in table.column_names else "mean"
    return len(table.column(name)[0])


def known_periods(path: str) -> dict[str, float]:
    """Periods by id; none without a table."""
    if not path:
        return {}
    from astromer.records.sources.metadata import periods_by_id

    periods = periods_by_id(as_path(path))
    if not periods:
        raise DataAnomalyError(f"--periods must hold periods in days. Received: {path}, with none.")
    return periods


def parts_of_records(
    files: Mapping[str, Sequence[Path]], start: int = 0, stop: int | None = None
) -> Iterator[Part]:
    """Split, light curves, and what is wrong with the lists of each, as ``status`` has it.

    Args:
        files: record files by split.
        start, stop: the first record of each file to read, and one past the last.
    """
    import numpy as np

    from astromer.records.reader import iterate_batches
    from astromer.serving.graph_input import STATUS_OK, STATUS_UNEQUAL, STATUS_UNREADABLE

    for split, paths in files.items():
        for batch in iterate_batches(paths, strict=False, start=start, stop=stop):
            mjd, mag, errmag = batch.series_lengths
            equal = (mag == mjd) & ((errmag == mjd) | (errmag == 0))
            absent = (mjd == 0) | (mag == 0)
            problem = np.where(equal, STATUS_OK, STATUS_UNEQUAL)
            yield split, batch, np.where(absent, STATUS_UNREADABLE, problem)


def _from_survey(data: Path, options: SurveyOptions, workspace: Path) -> Iterator[Part]:
    """The light curves of a survey; says first what was understood of it."""
    import numpy as np

    from astromer.records.sources.survey import read_curves

    for curves in read_curves(describe_data(data, options), workspace, announce=_tell):
        yield "", curves, np.zeros(len(curves), int)


def describe_data(data: Path, options: SurveyOptions) -> SurveyConfig:
    """How the files of a survey are read.

    Raises:
        DataNotFoundError: there are none.
    """
    from astromer.records.survey_config import describe_survey

    if not data.exists():
        raise DataNotFoundError(
            f"--data must be a folder of records, or a survey. Received: {data}, which does not "
            "exist."
        )
    return describe_survey(options, data)


def _tell(lines: list[str]) -> None:
    print("\n".join(lines), flush=True)


def embed_part(
    embedder: Embedder, part: Part, known: Mapping[str, float], batch_size: int
) -> pa.Table:
    """The rows of some light curves: see :func:`embed`.

    Args:
        embedder: the model.
        part: split; light curves; int [num_curves], what is wrong with each, 0 for nothing.
        known: periods [days] by id; others are searched.
        batch_size: light curves per call at most.
    """
    split, curves, problem = part
    at = [known.get(name, math.nan) for name in curves.ids] if known else None
    found = embedder.embed_packed(curves, periods=at, batch_size=batch_size, progress=False)
    return _table(split, curves, found, problem, embedder.identity)


def _table(
    split: str,
    curves: LightCurves,
    found: Embeddings,
    problem: np.ndarray,
    model: ModelIdentity,
) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    from astromer.explore.traits import TRAITS, traits_of
    from astromer.serving.embedding_table import describe_columns, period_errors

    traits = traits_of(curves, found.periods)
    folded: dict[str, pa.Array] = {}
    embedding, periods, powers = found.embedding, found.periods, found.powers
    # All of them are there where the model folds.
    if embedding is not None and periods is not None and powers is not None:
        errors = period_errors(
            periods[:, 0],
            traits["amplitude"],
            traits["unexplained"],
            traits["last_mjd"] - traits["first_mjd"],
            found.num_observations,
        )
        folded = {
            "period": pa.array(periods[:, 0], pa.float64()),
            "period_error": pa.array(errors, pa.float64()),
            "false_alarm_probability": pa.array(found.false_alarm, pa.float64()),
            "embedding": pa.array(list(embedding), pa.list_(pa.float32())),
            "periods": pa.array(list(periods), pa.list_(pa.float64())),
            "powers": pa.array(list(powers), pa.list_(pa.float64())),
        }
    table = pa.table(
        {
            "id": pa.array(found.ids.tolist(), pa.string()),
            "band": pa.array(curves.bands.tolist(), pa.string()),
            "split": pa.array([split] * len(curves), pa.string()),
            "label": pa.array(curves.labels, pa.int64()),
            "class": pa.array(curves.class_names.tolist(), pa.string()),
            "num_observations": pa.array(found.num_observations, pa.int64()),
            "status": pa.array(np.where(problem, problem, found.status), pa.int32()),
            "mean": pa.array(list(found.mean), pa.list_(pa.float32())),
            "max": pa.array(list(found.max), pa.list_(pa.float32())),
            **folded,
            **{name: pa.array(values, pa.float64()) for name, values in traits.items()},
        }
    )
    return describe_columns(table, TRAITS, model.to_dict() | {"astromer_version": __version__})


def record_files(data: Path) -> dict[str, list[Path]]:
    """Record files by split; a folder that holds records itself is one split of its own name."""
    from astromer.records.fold import Fold, is_record_file, natural_key
    from astromer.records.sources.names import is_fold

    if not data.is_dir():
        return {}
    own = sorted((p for p in data.iterdir() if is_record_file(p.name)), key=natural_key)
    if own:
        return {data.name: own}
    if not is_fold(data) and any(data.iterdir()):
        return {}
    return {split: list(paths) for split, paths in Fold.open(data).files.items()}


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    options = parse(arguments)
    if options.dry_run:
        from astromer.records.sources.survey import understand_survey

        _tell(understand_survey(describe_data(as_path(options.data), options.reading), 1))
        return
    embed(options)
