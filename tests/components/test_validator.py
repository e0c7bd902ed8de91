"""The validator leaves out what breaks a rule and carries the rest over as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq
import pytest
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, channel_utils, standard_artifacts
from tfx.utils import import_utils

from astromer.records.config import LightCurveRules
from astromer.records.fold import Fold
from astromer.records.reader import read_light_curves
from astromer.system.errors import DataAnomalyError
from astromer.validation.config import ValidationConfig
from astromer.validation.fold_check import FileCheck, Violation, combine_checks, validate_fold
from components import LightCurveAnomalies
from components.example_gen.executor import ingest
from components.validator import LightCurveValidator
from components.validator.executor import Executor, copy_accepted
from pipeline_config import PipelineConfig
from tests.astromer.validation import corpus
from tests.components.conftest import artifact, run_example_gen, split_files
from tests.pipeline.folds import encode, write_records


def run(
    fold: Path, folder: Path, with_beam: bool = False, **severities: Any
) -> tuple[Any, Any, Any]:
    """Ingests and validates a fold: examples, valid_examples and anomalies."""
    examples = run_example_gen(fold, folder / "examples")
    component = LightCurveValidator(
        channel_utils.as_channel([examples]),
        validation=ValidationConfig(**severities),
        rules=LightCurveRules(),
        report=str(folder / "report"),
    )
    accepted = artifact(standard_artifacts.Examples, folder / "accepted")
    anomalies = artifact(LightCurveAnomalies, folder / "anomalies")
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(PipelineConfig("").beam_args),
        tmp_dir=str(folder),
        unique_id="1",
        make_beam_pipeline_fn=_direct_pipeline if with_beam else None,
    )
    executor = Executor(context)
    assert executor.in_process is not with_beam
    executor.Do(
        {"examples": [examples]},
        {"valid_examples": [accepted], "anomalies": [anomalies]},
        component.spec.exec_properties,
    )
    return examples, accepted, anomalies


def _direct_pipeline() -> beam.Pipeline:
    return beam.Pipeline(runner="BundleBasedDirectRunner")


def ids(examples: Any, split: str) -> list[str]:
    return list(read_light_curves(split_files(examples, split)).ids)


def test_good_light_curves_are_carried_over_byte_for_byte(fold, tmp_path):
    examples, accepted, anomalies = run(fold, tmp_path)
    assert accepted.split_names == examples.split_names
    for split in artifact_utils.decode_split_names(examples.split_names):
        before, after = split_files(examples, split), split_files(accepted, split)
        assert [file.name for file in after] == [file.name for file in before]
        assert [file.read_bytes() for file in after] == [file.read_bytes() for file in before]
    custom = accepted.mlmd_artifact.custom_properties
    for name, value in examples.mlmd_artifact.custom_properties.items():
        assert custom[name] == value, name
    assert accepted.get_int_custom_property("num_rejected_train") == 0
    assert "0 of 48 objects rejected" in (Path(anomalies.uri) / "table.txt").read_text()


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A fold with a broken object of each kind in every split, and the good ones' ids."""
    folder = tmp_path_factory.mktemp("broken")
    splits, good = {}, {}
    for number, split in enumerate(corpus.SIZES):
        curves: list = corpus.good(split, 60, number)
        for position, (_, spoil, _) in enumerate(corpus.OBJECTS.values()):
            curves[2 * position + 1] = spoil(curves[2 * position + 1])
        splits[split] = curves
        spoilt = range(1, 2 * len(corpus.OBJECTS), 2)
        good[split] = [f"star{number}-{i}" for i in range(60) if i not in spoilt]
    return corpus.write_splits(folder / "fold", **splits), good


def test_nothing_broken_is_left_and_everything_good_is(broken, tmp_path):
    fold, good = broken
    examples, accepted, anomalies = run(fold, tmp_path, max_rejected=1.0)
    for split, expected in good.items():
        assert ids(accepted, split) == expected
        assert accepted.get_int_custom_property(f"num_curves_{split}") == len(expected)
        observations = read_light_curves(split_files(accepted, split)).num_observations
        assert accepted.get_int_custom_property(f"num_observations_{split}") == observations
        rejected = accepted.get_int_custom_property(f"num_rejected_{split}")
        assert rejected == len(corpus.OBJECTS)
    fingerprints = [x.get_string_custom_property("data_fingerprint") for x in (examples, accepted)]
    assert fingerprints[0] != fingerprints[1]
    findings = pq.read_table(Path(anomalies.uri) / "findings.parquet").to_pylist()
    assert len(findings) == 3 * len(corpus.OBJECTS)
    # Named is the user's file, not the copy inside the pipeline.
    assert {row["file"] for row in findings} == {str(fold / s / "0.record") for s in corpus.SIZES}
    assert all(row["object_id"] == f"star0-{row['record']}" for row in findings[:21])


@pytest.mark.slow
@pytest.mark.parametrize("with_beam", [True, False])
def test_beam_and_the_plain_program_find_the_same(broken, tmp_path, with_beam):
    fold, _ = broken
    train = corpus.good("train", 10, 7)
    test = [train[3], replace(train[4], id="copy"), *corpus.good("test", 5, 8)]
    write_records(fold / "train" / "1.record", [encode(curve) for curve in train])
    write_records(fold / "test" / "1.record", [encode(curve) for curve in test])
    _, _, anomalies = run(fold, tmp_path, with_beam, max_rejected=1.0)
    plain = validate_fold(Fold.open(fold), progress=False)
    assert {"leaked_star", "leaked_curve", "not_finite"} <= set(plain.findings.counts())
    found = pq.read_table(Path(anomalies.uri) / "findings.parquet")
    assert found.to_pylist() == plain.findings.to_arrow().to_pylist()
    summary = json.loads((Path(anomalies.uri) / "summary.json").read_text())
    assert summary["curves"] == dict(plain.curves)
    assert summary["rejected"] == {s: len(positions) for s, positions in plain.rejected.items()}


def test_hopeless_data_stop_with_a_report_that_stays(tmp_path):
    fold = corpus.write_splits(tmp_path / "fold", train=corpus.spoilt("sentinel"))
    with pytest.raises(DataAnomalyError, match="star0-5") as caught:
        run(fold, tmp_path, max_rejected=0.0)
    report = tmp_path / "report"
    assert str(report) in str(caught.value)
    assert "star0-5" in (report / "rejected.csv").read_text()
    assert "1 of 48 objects rejected" in caught.value.table


def test_shards_keep_order_and_those_without_losses_their_bytes(curves, tmp_path):
    records = [encode(curve) for curve in curves]
    file = write_records(tmp_path / "in" / "0.record", records)
    ingest([file], tmp_path / "shards", curves_per_shard=4)
    shards = sorted((tmp_path / "shards").iterdir())
    copy_accepted(shards, tmp_path / "out", {4, 6, 7})
    copies = sorted((tmp_path / "out").iterdir())
    assert [copy.name for copy in copies] == [shard.name for shard in shards]
    assert copies[0].read_bytes() == shards[0].read_bytes()
    assert copies[2].read_bytes() == shards[2].read_bytes()
    kept = [curve.id for i, curve in enumerate(curves) if i not in (4, 6, 7)]
    assert list(read_light_curves(copies).ids) == kept


def test_kubeflow_can_import_the_artifact_by_its_type_name():
    assert import_utils.import_class_by_path(LightCurveAnomalies.TYPE_NAME) is LightCurveAnomalies


def test_a_file_that_is_named_as_source_is_found_by_position(tmp_path):
    fold = Fold.open(corpus.write_splits(tmp_path / "fold"))
    checks = [FileCheck(split, 0, curves=10) for split in range(3)]
    checks[1].violations.append(Violation("missing_id", 7, "", "has no ID"))
    checks[1].examples[7] = corpus.good("train")[0]
    sources = {split: [("a", 4), ("b", 6)] for split in corpus.SIZES}
    found = combine_checks(fold.files, checks, [], ValidationConfig(), LightCurveRules(), sources)
    assert [(f.file, f.record) for f in found.findings] == [("b", 3)]
    assert not np.concatenate(list(found.rejected.values())).size
