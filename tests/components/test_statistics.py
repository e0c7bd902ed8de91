"""Statistics are TFDV's, with Beam and without it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import json_format
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from astromer.records.config import LightCurveRules
from components.example_gen.executor import ingest
from components.schema import schema_text
from components.statistics import StatisticsGen
from components.statistics.executor import Executor, statistics_of
from tests.components.conftest import artifact, run_example_gen, split_files
from tests.pipeline.folds import encode, make_curves, write_records

SPLITS = ["train", "validation", "test"]


def run(examples: Any, folder: Path, **context: Any) -> Any:
    """Runs the executor on Examples."""
    component = StatisticsGen(channel_utils.as_channel([examples]))
    statistics = artifact(standard_artifacts.ExampleStatistics, folder)
    executor = Executor(base_beam_executor.BaseBeamExecutor.Context(**context))
    executor.Do(
        {"examples": [examples]}, {"statistics": [statistics]}, component.spec.exec_properties
    )
    return statistics


def plain(statistics: Any, split: str) -> list[dict[str, Any]]:
    """Statistics by feature as plain types, numbers rounded to what sums in another order keep."""
    proto = stats_artifact_utils.load_statistics(statistics, split).proto()
    [dataset] = json_format.MessageToDict(proto)["datasets"]
    features = dataset.pop("features")
    return [dataset, *sorted(map(rounded, features), key=lambda f: str(f["path"]))]


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


@pytest.fixture
def examples(fold: Path, tmp_path: Path) -> Any:
    return run_example_gen(fold, tmp_path / "examples")


@pytest.mark.slow
def test_beam_and_this_process_give_the_same(examples, tmp_path):
    here = run(examples, tmp_path / "here", beam_pipeline_args=[])
    there = run(
        examples,
        tmp_path / "there",
        make_beam_pipeline_fn=lambda: beam.Pipeline(runner="BundleBasedDirectRunner"),
    )
    for split in SPLITS:
        assert plain(here, split) == plain(there, split), split
    assert here.mlmd_artifact.properties == there.mlmd_artifact.properties
    ours, theirs = (set(a.mlmd_artifact.custom_properties) for a in (here, there))
    assert ours == theirs
    assert artifact_utils.decode_split_names(here.split_names) == SPLITS


def test_every_record_of_every_file_counts(examples):
    files = split_files(examples, "train")
    one, two = statistics_of(files).datasets[0], statistics_of(files * 3).datasets[0]
    assert one.num_examples == 24
    assert two.num_examples == 72


def test_names_are_counted_exactly(tmp_path):
    curves = [dataclasses.replace(make_curves(1)[0], id=f"star-{n}") for n in range(1500)]
    ingest([write_records(tmp_path / "0.record", list(map(encode, curves)))], tmp_path / "out")
    [dataset] = statistics_of(sorted((tmp_path / "out").iterdir())).datasets
    [names] = [f.string_stats for f in dataset.features if f.path.step == ["ID"]]
    assert names.unique == 1500
    assert {value.frequency for value in names.top_values} == {1.0}


def test_an_empty_split_is_told_as_such(tmp_path):
    file = tmp_path / "data_tfrecord-00000-of-00001.gz"
    tf.io.TFRecordWriter(str(file), tf.io.TFRecordOptions("GZIP")).close()
    found = statistics_of([file])
    assert found.datasets[0].num_examples == 0
    (tmp_path / "schema.pbtxt").write_text(schema_text(LightCurveRules()))
    schema = tfdv.load_schema_text(str(tmp_path / "schema.pbtxt"))
    assert tfdv.validate_statistics(found, schema).data_missing


def test_changed_code_is_no_cached_result(examples):
    spec = StatisticsGen(channel_utils.as_channel([examples])).spec
    assert len(spec.exec_properties["code_fingerprint"]) == 64
