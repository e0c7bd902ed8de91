"""Reads fold records and writes them as the shards of an Examples artifact."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import struct_pb2
from tfx import types
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from astromer.records.codec import Kinds, canonicalise, complete_errors
from astromer.records.config import MissingErrorsConfig
from astromer.records.fold import Fold, read_processing
from astromer.records.framing import estimate_records
from astromer.records.reader import RecordBatch, iterate_batches
from astromer.system.config import to_dict
from astromer.system.errors import DataNotFoundError
from astromer.system.storage import as_path
from astromer.system.terminal import progress_bar
from components.beam import InProcess
from components.provenance import (
    DATA_FINGERPRINT,
    ERROR_FILL,
    FOLD_PATH,
    MISSING_ERRORS,
    NUM_CURVES,
    NUM_OBSERVATIONS,
    PROCESSING,
    SOURCES_FILE,
    settings_fingerprint,
)

DEBUG = "debug"
MAX_CURVES = "max_curves_per_split"
CODE = "code_fingerprint"


class Executor(InProcess):
    """Plain sequential ingestion: Beam would shuffle the curves, and costs more than it saves.

    It is a Beam executor in name because TFX asks that of every file-based ExampleGen.
    """

    can_use_beam = False

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Ingests every split.

        Raises:
            DataNotFoundError: a split has no record files or no records.
            RecordError: a file is corrupt or a record in it is no light curve at all.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        fold = Fold.open(exec_properties[standard_component_specs.INPUT_BASE_KEY])
        settings = _settings(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        limit = int(settings[MAX_CURVES]) if exec_properties[DEBUG] else 0
        errors = MissingErrorsConfig(settings[MISSING_ERRORS], settings[ERROR_FILL])

        [examples] = output_dict[standard_component_specs.EXAMPLES_KEY]
        examples.split_names = artifact_utils.encode_split_names(list(fold.files))
        ingested = {}
        for split, files in fold.files.items():
            folder = as_path(artifact_utils.get_split_uri([examples], split))
            ingested[split] = ingest(files, folder, limit or None, errors=errors)
        _describe(examples, str(fold.path), ingested)
        examples.set_string_custom_property(MISSING_ERRORS, errors.missing_errors)
        if errors.missing_errors != "refuse":
            examples.set_float_custom_property(ERROR_FILL, errors.error_fill)
        processing = read_processing(fold.config_path)
        if errors.missing_errors != "refuse":
            processing |= to_dict(errors)
        examples.set_string_custom_property(PROCESSING, json.dumps(processing, default=str))
        sources = {split: done.sources for split, done in ingested.items()}
        (as_path(examples.uri) / SOURCES_FILE).write_text(json.dumps(sources))


def _describe(examples: types.Artifact, fold: str, ingested: Mapping[str, Ingested]) -> None:
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    examples.set_string_custom_property(FOLD_PATH, fold)
    examples.set_string_custom_property(
        DATA_FINGERPRINT,
        settings_fingerprint({split: done.fingerprint for split, done in ingested.items()}),
    )
    for split, done in ingested.items():
        examples.set_int_custom_property(f"{NUM_CURVES}_{split}", done.curves)
        examples.set_int_custom_property(f"{NUM_OBSERVATIONS}_{split}", done.observations)


def _settings(custom_config: str) -> struct_pb2.Struct:
    message = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(custom_config, message)
    settings = struct_pb2.Struct()
    message.custom_config.Unpack(settings)
    return settings


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

    Light curves are not checked against the rules, which is the validator's work.

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
    record = canonicalise(batch.serialized[row], kinds, batch.location(row))
    if errors.missing_errors == "refuse" or not batch.lengths[row]:
        return record
    return complete_errors(record, batch.errmag[batch.offsets[row] : batch.offsets[row + 1]])
