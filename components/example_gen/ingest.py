"""One split's record files, copied as canonical records into compressed shards."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from astromer.records.codec import Kinds, canonicalise, complete_errors
from astromer.records.config import MissingErrorsConfig
from astromer.records.framing import estimate_records
from astromer.records.reader import RecordBatch, iterate_batches
from astromer.system.errors import DataNotFoundError
from astromer.system.terminal import progress_bar

CURVES_PER_SHARD = 20_000
"""About 50 MB of curves with 200 observations: enough shards for several readers."""

_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


@dataclass(frozen=True)
class Ingested:
    """What one split holds.

    Attributes:
        curves, observations: numbers; light curves whose series do not fit each other have no
            observations.
        fingerprint: of the records' content and order.
        sources: the files that were read and the number of records from each, in order.
    """

    curves: int
    observations: int
    fingerprint: str
    sources: tuple[tuple[str, int], ...]


def ingest(
    files: Sequence[Path],
    folder: Path,
    limit: int | None = None,
    curves_per_shard: int = CURVES_PER_SHARD,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> Ingested:
    """Writes ``data_tfrecord-SSSSS-of-NNNNN.gz`` into ``folder``, keeping the order.

    Light curves are not judged: those that break a rule are the validator's to find.

    Args:
        files: record files, compressed or not, of the canonical or the older layout.
        folder: made if missing.
        limit: only the first so many light curves.
        curves_per_shard: most light curves in one shard.
        errors: how missing errors are filled in.

    Raises:
        DataNotFoundError: there is no record.
        RecordError: a file is corrupt or a record in it is no light curve; the message
            names the file and the record's index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    curves = observations = 0
    sources: Counter[str] = Counter()
    shards: list[Path] = []
    writer: tf.io.TFRecordWriter | None = None
    try:
        total = limit or estimate_records(files)
        for source, serialized, length in progress_bar(
            _canonical(files, limit, errors), total=total, desc="reading", unit="curves"
        ):
            if curves % curves_per_shard == 0:
                if writer is not None:
                    writer.close()
                shards.append(folder / f"unfinished-{len(shards):05d}")
                writer = tf.io.TFRecordWriter(str(shards[-1]), _OPTIONS)
            assert writer is not None
            writer.write(serialized)
            digest.update(hashlib.sha256(serialized).digest())
            sources[str(source)] += 1
            curves += 1
            observations += length
    finally:
        if writer is not None:
            writer.close()
    if not shards:
        raise DataNotFoundError(
            f"the record files in {files[0].parent} hold no light curves. Make the records again."
        )
    for index, shard in enumerate(shards):
        shard.rename(folder / f"data_tfrecord-{index:05d}-of-{len(shards):05d}.gz")
    return Ingested(curves, observations, digest.hexdigest(), tuple(sources.items()))


def _canonical(
    files: Sequence[Path], limit: int | None, errors: MissingErrorsConfig
) -> Iterator[tuple[Path, bytes, int]]:
    """Each record's file, its canonical form and its number of observations."""
    left = limit
    kinds: Kinds = {}
    for batch in iterate_batches(files, strict=False, errors=errors):
        for row, length in enumerate(batch.lengths.tolist()[:left]):
            yield batch.file, _record(batch, row, errors, kinds), length
        if left is not None and (left := max(left - len(batch), 0)) == 0:
            return


def _record(batch: RecordBatch, row: int, errors: MissingErrorsConfig, kinds: Kinds) -> bytes:
    record = canonicalise(batch.serialized[row], kinds, batch.place(row))
    if errors.missing_errors == "refuse" or not batch.lengths[row]:
        return record
    return complete_errors(record, batch.errmag[batch.offsets[row] : batch.offsets[row + 1]])
