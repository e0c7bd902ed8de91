"""The Beam pipeline of ``astromer embed --beam``.

Files are looked into and divided into slices; each slice is read, embedded by the model of its
worker process and written as one Parquet file, which appears whole.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from astromer import __version__
from astromer.commands.embed import EmbedOptions, Part, embed_part, known_periods, width_of
from astromer.serving.config import STARTER
from astromer.serving.embedding_table import SCHEMA_VERSION
from astromer.serving.starter.package import FOLDER, ModelIdentity, identity_of
from astromer.system.errors import DataNotFoundError, ModelError, UsageError
from astromer.system.storage import as_path
from astromer.system.text import brief
from pipeline.embed_on_beam import PARTIAL
from pipeline.survey_slices import (
    Slice,
    SurveyFiles,
    buckets_of,
    find_survey,
    look_into,
    open_with_beam,
    read_slice,
    refuse_divided,
)

if TYPE_CHECKING:
    from astromer.serving.embedder import Embedder

MANIFEST, JOB = "_manifest.json", "_job.json"
"""Which shards there are, and what they were made of; readers of Parquet folders pass over them."""
_SOURCE = b"astromer_source"
"""Key of a shard's metadata: the slice that it was made of."""
_DONE, _OPEN = "done", "open"


class Loaded(NamedTuple):
    """A slice and its light curves."""

    piece: Slice
    parts: list[Part]


class EmbeddedSlice(NamedTuple):
    """A slice and its rows."""

    piece: Slice
    table: pa.Table


class CurveEmbedder(ModelHandler[Loaded, EmbeddedSlice, Any]):
    """Embeds the light curves of a slice, in calls of at most so many observations.

    Args:
        model: a folder that the workers reach, or ``starter``.
        identity: which model that is; a worker that has another one is refused.
        periods: known periods [days] by id.
        batch_size: light curves per call at most.
    """

    def __init__(
        self, model: str, identity: ModelIdentity, periods: Mapping[str, float], batch_size: int
    ):
        super().__init__(min_batch_size=1, max_batch_size=1)
        self.model, self.identity = model, identity
        self.periods, self.batch_size = periods, batch_size

    def load_model(self) -> Embedder:
        """Loads it, once for each worker process.

        Raises:
            ModelError: it is another one, as in an image of another release.
        """
        import astromer
        from astromer.system.logs import silence
        from astromer.system.parallel import claim_cores

        silence()
        claim_cores()
        embedder = astromer.load(None if self.model == STARTER else self.model)
        if embedder.identity.sha256 != self.identity.sha256:
            raise ModelError(
                f"Workers must have the model of the job, {self.identity}. Received: "
                f"{embedder.identity}. Give them the same release of the package, or --model in a "
                "place that all reach."
            )
        return embedder

    def run_inference(
        self,
        batch: Sequence[Loaded],
        model: Embedder,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[EmbeddedSlice]:
        """The rows of each slice."""
        for piece, parts in batch:
            tables = [embed_part(model, part, self.periods, self.batch_size) for part in parts]
            table = pa.concat_tables(tables)
            facts = {**(table.schema.metadata or {}), _SOURCE: piece.source.encode()}
            yield EmbeddedSlice(piece, table.replace_schema_metadata(facts))

    def get_num_bytes(self, batch: Sequence[Loaded]) -> int:
        """Of the observations; by default, light curves would be pickled to be counted."""
        return sum(curves.mjd.nbytes * 2 for _, parts in batch for _, curves, _ in parts)


def run(options: EmbedOptions, arguments: Sequence[str], model: str, out: str) -> dict[str, Any]:
    """Runs the job.

    Args:
        options: what is embedded.
        arguments: Beam's.
        model: as of :class:`CurveEmbedder`.
        out: folder of the shards.

    Returns:
        The manifest without its shards: ``rows``, ``width``, ``model``, ``shards``, ``new``.
    """
    survey = find_survey(options.data, options.reading)
    identity = identity_of(FOLDER if model == STARTER else as_path(model))
    _prepare(out, _described(options, identity, survey))
    handler = CurveEmbedder(model, identity, known_periods(options.periods), options.batch_size)
    with beam.Pipeline(options=PipelineOptions(list(arguments))) as pipeline:
        add_embedding(pipeline, survey, options.shard_curves, handler, out)
    try:
        with open_with_beam(f"{out}/{MANIFEST}") as file:
            made: dict[str, Any] = json.load(file)
    except DataNotFoundError:
        raise DataNotFoundError(
            f"--data must have light curves. Received: {options.data}, with none."
        ) from None
    return {**made, "shards": len(made["shards"])}


def add_embedding(
    pipeline: beam.Pipeline, survey: SurveyFiles, most: int, handler: CurveEmbedder, out: str
) -> None:
    """Adds the embedding to a pipeline.

    Args:
        pipeline: to be run by the caller.
        survey: what is embedded.
        most: light curves of a shard; of tables, objects.
        handler: the model.
        out: folder of the shards.
    """
    contents = (
        pipeline
        | "Files" >> beam.Create(list(survey.files))
        | "SpreadFiles" >> beam.Reshuffle()
        | "LookInto" >> beam.Map(lambda file: (file, look_into(file, survey, most)))
    )
    if survey.config is not None and len(survey.files) > 1:
        _ = (
            contents
            | "Ids" >> beam.FlatMap(lambda found: buckets_of(*found))
            | "SameIds" >> beam.GroupByKey()
            | "RefuseDivided" >> beam.Map(refuse_divided)
        )
    classes = contents | "Classes" >> beam.FlatMap(lambda found: [(None, found[1].classes)])
    slices = contents | "Slices" >> beam.FlatMap(lambda found: found[1].slices)
    states = (
        slices
        | "Spread" >> beam.Reshuffle()
        | "Look" >> beam.ParDo(_Look(out)).with_outputs(_DONE, _OPEN)
    )
    new = (
        states[_OPEN]
        | "Read" >> beam.Map(_read, survey, beam.pvalue.AsList(classes))
        | "Embed" >> RunInference(handler)
        | "Write" >> beam.Map(_write, out)
    )
    made = (states[_DONE], new) | "Shards" >> beam.Flatten()
    _ = (
        {
            "slices": slices | "Planned" >> beam.Map(lambda piece: (None, piece.name)),
            "shards": made | "Made" >> beam.Map(lambda shard: (None, shard)),
        }
        | "All" >> beam.CoGroupByKey()
        | "Manifest" >> beam.Map(_write_manifest, handler.identity, out)
    )


class _Look(beam.DoFn):
    """Which shards an earlier run has made."""

    def __init__(self, out: str):
        self._out = out

    def process(self, piece: Slice) -> Iterator[Any]:
        path = f"{self._out}/{piece.name}"
        if FileSystems.exists(path):
            with suppress(pa.ArrowException, OSError, ValueError), open_with_beam(path) as file:
                shard = pq.ParquetFile(file)
                if (shard.schema_arrow.metadata or {}).get(_SOURCE) == piece.source.encode():
                    entry = _entry(piece, shard.read(), False)
                    yield beam.pvalue.TaggedOutput(_DONE, entry)
                    return
        yield beam.pvalue.TaggedOutput(_OPEN, piece)


def _read(piece: Slice, survey: SurveyFiles, classes: list[tuple[None, list[str]]]) -> Loaded:
    known = sorted({name for _, names in classes for name in names})
    return Loaded(piece, read_slice(piece, survey, known if any(known) else []))


def _write(found: EmbeddedSlice, out: str) -> dict[str, Any]:
    piece, table = found
    with _appearing(out, piece.name) as file:
        pq.write_table(table, file)
    return _entry(piece, table, True)


@contextmanager
def _appearing(out: str, name: str) -> Iterator[Any]:
    """A file that is there when it is whole."""
    partial = f"{out}/.{name}.{uuid.uuid4().hex}{PARTIAL}"
    try:
        with FileSystems.create(partial, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            yield file
        FileSystems.rename([partial], [f"{out}/{name}"])
    except BaseException:
        with suppress(BeamIOError, OSError):
            FileSystems.delete([partial])
        raise


def _entry(piece: Slice, table: pa.Table, is_new: bool) -> dict[str, Any]:
    counts = table.column("status").value_counts().to_pylist()
    return {
        "file": piece.name,
        "source": piece.source,
        "rows": len(table),
        "width": width_of(table) if len(table) else 0,
        "statuses": {str(count["values"]): count["counts"] for count in counts},
        "new": is_new,
    }


def _write_manifest(
    grouped: tuple[None, Mapping[str, Iterable[Any]]], identity: ModelIdentity, out: str
) -> None:
    planned = sorted(grouped[1]["slices"])
    shards = {shard["file"]: shard for shard in grouped[1]["shards"]}
    if planned != sorted(shards):
        raise RuntimeError(
            f"Beam must make every shard. Received: {len(shards)} of {len(planned)}, from a runner "
            "that reported success. Choose another runner."
        )
    made = [shards[name] for name in planned]
    statuses: dict[str, int] = {}
    for shard in made:
        for status, count in shard["statuses"].items():
            statuses[status] = statuses.get(status, 0) + count
    content = {
        "astromer_version": __version__,
        "schema": SCHEMA_VERSION,
        "model": {**identity.to_dict(), "title": identity.title},
        "rows": sum(shard["rows"] for shard in made),
        "statuses": dict(sorted(statuses.items())),
        "width": max((shard["width"] for shard in made), default=0),
        "new": sum(shard["new"] for shard in made),
        "shards": [{k: v for k, v in s.items() if k not in ("new", "width")} for s in made],
    }
    with _appearing(out, MANIFEST) as file:
        file.write(json.dumps(content, indent=1).encode())


def _described(
    options: EmbedOptions, identity: ModelIdentity, survey: SurveyFiles
) -> dict[str, Any]:
    """What decides on the rows of a job, and on how they are divided."""
    return {
        "astromer_version": __version__,
        "model": identity.to_dict(),
        "shard_curves": options.shard_curves,
        "reading": vars(options.reading),
        "periods": options.periods,
        "files": [[file.path, file.size] for file in survey.files],
    }


def _prepare(out: str, job: dict[str, Any]) -> None:
    """Makes the folder ready, which may hold shards of the same job.

    Raises:
        UsageError: it holds those of another one, or cannot be written to.
    """
    try:
        if not FileSystems.exists(out):
            FileSystems.mkdirs(out)
        [there] = FileSystems.match([f"{out}/*"])
        names = {one.path.rpartition("/")[2]: one.path for one in there.metadata_list}
        if JOB in names:
            with open_with_beam(names[JOB]) as file:
                before = json.load(file)
            plain = json.loads(json.dumps(job))
            changed = [name for name in job if before.get(name) != plain[name]]
            if changed:
                raise UsageError(
                    f"--out must be a new folder, or hold shards of the same job. Received: {out}, "
                    f"with shards of another ({', '.join(changed)}). Choose another folder."
                )
        elif any(name.endswith(".parquet") for name in names):
            raise UsageError(
                f"--out must be a new folder, or hold shards of the same job. Received: {out}, "
                "with other Parquet files. Choose another folder."
            )
        old = [path for name, path in names.items() if name.endswith(PARTIAL) or name == MANIFEST]
        if old:
            FileSystems.delete(old)
        if JOB not in names:
            with _appearing(out, JOB) as file:
                file.write(json.dumps(job).encode())
    except (BeamIOError, OSError) as error:
        raise UsageError(
            f"--out must be a folder that Beam can write to. Received: {out} ({brief(error)}). "
            "Choose another one."
        ) from None
