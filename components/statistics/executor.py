"""StatisticsGen executor: TFX's own with a cluster, TFDV's generators alone without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.generators.top_k_uniques_sketch_stats_generator import (
    TopKUniquesSketchStatsGenerator,
)
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.components.statistics_gen import executor
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils
from tfx_bsl.coders.sequence_example_coder import SequenceExamplesToRecordBatchDecoder

from astromer.system.storage import as_path
from astromer.system.terminal import progress_bar
from components import split_files
from components.beam import InProcess
from components.provenance import NUM_CURVES
from components.schema.component import SEQUENCE


class Executor(InProcess, executor.Executor):
    """Writes the same statistics with Beam and without it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Computes the statistics of every split."""
        if not self.in_process:
            super().Do(input_dict, output_dict, exec_properties)
            return
        self._log_startup(input_dict, output_dict, exec_properties)
        [examples] = input_dict[standard_component_specs.EXAMPLES_KEY]
        [statistics] = output_dict[standard_component_specs.STATISTICS_KEY]
        splits = artifact_utils.decode_split_names(examples.split_names)
        statistics.split_names = examples.split_names
        statistics.span = examples.span
        statistics.set_string_custom_property(executor.STATS_DASHBOARD_LINK, "")
        statistics.set_json_value_custom_property(
            executor.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME,
            json_utils.dumps(dict.fromkeys(splits, 1.0)),
        )
        for split in splits:
            files = split_files(examples, split)
            folder = as_path(artifact_utils.get_split_uri([statistics], split))
            folder.mkdir(parents=True, exist_ok=True)
            curves = examples.get_int_custom_property(f"{NUM_CURVES}_{split}") or None
            with progress_bar(total=curves, desc=f"statistics of {split}", unit="curves") as bar:
                found = statistics_of(files, bar.update).SerializeToString(deterministic=True)
            (folder / executor.DEFAULT_FILE_NAME).write_bytes(found)


_BATCH = 512
"""Records at once: as many as Beam gives the generators, once it has found its pace."""

_EXACT_NAMES = 1 << 20
"""Up to so many distinct names (of objects, for instance) the commonest and their number are exact;
TFDV's default without Beam, 1,024, gives names frequencies that they do not have."""


def statistics_of(
    files: Sequence[Path], progress: Callable[[int], object] = lambda count: None
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """What ``tfdv.GenerateStatistics`` gives with default options, without a Beam pipeline.

    The generators, their order and the merging of their results are TFDV's. All records count.

    Args:
        files: gzip-compressed TFRecord files of SequenceExamples.
        progress: called with the number of light curves that were added.
    """
    generators = _generators()
    found = [generator.create_accumulator() for generator in generators]
    decoder = SequenceExamplesToRecordBatchDecoder(SEQUENCE)
    names = [str(file) for file in files]
    records = tf.data.TFRecordDataset(names, "GZIP").batch(_BATCH)
    count = 0
    for serialized in records.as_numpy_iterator():
        batch = decoder.DecodeBatch(serialized.tolist())
        count += len(serialized)
        progress(len(serialized))
        found = [
            generator.add_input(accumulator, batch)
            for generator, accumulator in zip(generators, found, strict=True)
        ]
    if not count:  # as TFDV says it of an empty split
        return statistics_pb2.DatasetFeatureStatisticsList(
            datasets=[statistics_pb2.DatasetFeatureStatistics()]
        )
    return stats_impl.extract_statistics_output(found, generators)


def _generators() -> list[Any]:
    options = tfdv.StatsOptions()
    names = TopKUniquesSketchStatsGenerator(
        num_top_values=options.num_top_values,
        num_rank_histogram_buckets=options.num_rank_histogram_buckets,
        num_misragries_buckets=_EXACT_NAMES,
        num_kmv_buckets=_EXACT_NAMES,
    )
    default = stats_impl.get_generators(options, in_memory=True)
    return [names if isinstance(g, TopKUniquesSketchStatsGenerator) else g for g in default]
