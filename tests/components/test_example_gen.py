"""Ingestion keeps splits, order and content, and gives TFDV what it can read."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.example_gen import utils

from astromer.light_curves import LightCurve
from astromer.records.config import MissingErrorsConfig
from astromer.records.reader import read_light_curves
from astromer.system.errors import DataNotFoundError, RecordError
from components.example_gen.component import ContentDriver, FoldExampleGen, folder_pattern
from components.example_gen.executor import ingest
from tests.astromer.validation import corpus
from tests.components.conftest import run_example_gen, split_files
from tests.pipeline.folds import encode, make_curves, older, write_records


def test_keeps_splits_and_order_and_counts_them(fold, tmp_path):
    examples = run_example_gen(fold, tmp_path / "examples")

    assert examples.splits == ["train", "validation", "test"]
    assert examples.get_string_custom_property("fold") == str(fold)
    assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_SEQUENCE_EXAMPLE"
    for split in examples.splits:
        expected = read_light_curves([fold / split / "0.record"])
        ingested = read_light_curves(split_files(examples, split))
        assert list(ingested.ids) == list(expected.ids)
        np.testing.assert_array_equal(ingested.mjd, expected.mjd)
        assert examples.get_int_custom_property(f"num_curves_{split}") == len(expected)
        observations = examples.get_int_custom_property(f"num_observations_{split}")
        assert observations == expected.num_observations


def test_reads_a_fold_whose_validation_folder_is_called_val(fold, tmp_path):
    (fold / "validation").rename(fold / "val")

    examples = run_example_gen(fold, tmp_path / "examples")

    assert len(read_light_curves(split_files(examples, "validation"))) == 12


def test_makes_canonical_records_of_the_older_layout(curves, tmp_path):
    file = write_records(tmp_path / "old" / "0.record", [older(curve) for curve in curves], "GZIP")

    ingest([file], tmp_path / "out")

    (shard,) = (tmp_path / "out").iterdir()
    for serialized in tf.data.TFRecordDataset(str(shard), "GZIP").as_numpy_iterator():
        lists = tf.train.SequenceExample.FromString(serialized).feature_lists.feature_list
        assert sorted(lists) == ["errmag", "mag", "mjd"]
        assert all(len(series.feature) == 1 for series in lists.values())
    np.testing.assert_array_equal(
        read_light_curves([shard]).mag, np.concatenate([curve.mag for curve in curves])
    )


def test_writes_several_shards_in_order(curves, tmp_path):
    file = write_records(tmp_path / "in" / "0.record", [encode(curve) for curve in curves])

    done = ingest([file], tmp_path / "out", curves_per_shard=5)

    shards = sorted((tmp_path / "out").iterdir())
    assert [shard.name for shard in shards] == [
        f"data_tfrecord-{i:05d}-of-00003.gz" for i in range(3)
    ]
    assert list(read_light_curves(shards).ids) == [curve.id for curve in curves]
    assert done.curves == 12


def test_a_limit_takes_the_first_curves(curves, tmp_path):
    file = write_records(tmp_path / "in" / "0.record", [encode(curve) for curve in curves])

    done = ingest([file, file], tmp_path / "out", limit=3)

    assert done.curves == 3
    ingested = read_light_curves(sorted((tmp_path / "out").iterdir()))
    assert list(ingested.ids) == [curve.id for curve in curves[:3]]


def test_the_fingerprint_tells_content_from_circumstances(curves, tmp_path):
    def fingerprint(name: str, some: list[LightCurve]) -> str:
        records = [encode(curve) for curve in some]
        file = write_records(tmp_path / name / "0.record", records)
        return ingest([file], tmp_path / f"out-{name}").fingerprint

    changed = make_curves(12)
    changed[3].mag[5] += 0.001
    original = fingerprint("a", curves)

    assert fingerprint("copy", curves) == original
    assert fingerprint("changed", changed) != original
    assert fingerprint("reordered", curves[::-1]) != original


def test_names_file_and_index_of_a_corrupt_record(fold, tmp_path):
    file = fold / "test" / "0.record"
    content = bytearray(file.read_bytes())
    content[-20] ^= 0xFF
    file.write_bytes(content)

    with pytest.raises(RecordError, match=rf"record 11 .*{file}"):
        run_example_gen(fold, tmp_path / "examples")


def test_refuses_files_without_records(tmp_path):
    file = write_records(tmp_path / "in" / "0.record.gz", [], "GZIP")

    with pytest.raises(DataNotFoundError, match="no light curves"):
        ingest([file], tmp_path / "out")


@pytest.mark.parametrize("name", ["plain", "a[1]", "a*b?", "{SPAN}", "{YYYY}-{MM}"])
def test_the_standard_driver_sees_changes_in_folders_of_any_name(tmp_path, name):
    file = write_records(tmp_path / name / "train" / "0.record", [b"x"])
    (tmp_path / "b" / "train").mkdir(parents=True)

    def driver_fingerprint() -> str:
        split = utils.example_gen_pb2.Input.Split(name="train", pattern=folder_pattern([str(file)]))
        base = str(tmp_path / name)
        return utils.calculate_splits_fingerprint_span_and_version(base, [split])[0]

    before = driver_fingerprint()
    assert "num_files:1" in before
    write_records(file, [b"x", b"y"])
    assert driver_fingerprint() != before


def test_the_driver_looks_at_content_not_at_clocks_or_sizes(fold):
    def fingerprint() -> str:
        component = FoldExampleGen(
            str(fold), {s: [str(fold / s / "0.record")] for s in ("train", "validation", "test")}
        )
        properties = dict(component.spec.exec_properties)
        return ContentDriver(None).resolve_exec_properties(properties, None, None)[
            "input_fingerprint"
        ]

    before = fingerprint()
    file = fold / "train" / "0.record"
    status, content = file.stat(), file.read_bytes()
    os.utime(file, ns=(1, 1))
    assert fingerprint() == before
    curves = make_curves(24)
    curves[5].mag[2] += 0.25
    write_records(file, [encode(curve) for curve in curves])
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(content) == file.stat().st_size
    assert fingerprint() != before
    file.write_bytes(content)
    assert fingerprint() == before


def test_light_curves_that_break_a_rule_are_let_through_to_the_validator(tmp_path):
    records = [
        encode(curve) if isinstance(curve, LightCurve) else curve
        for name in ("no magnitudes", "empty", "fewer errors", "nan magnitude", "no errors")
        for curve in corpus.spoilt(name, "validation")[corpus.BAD : corpus.BAD + 1]
    ]
    file = write_records(tmp_path / "in" / "0.record", records)
    done = ingest([file, file], tmp_path / "out")
    (shard,) = (tmp_path / "out").iterdir()
    copied = list(tf.data.TFRecordDataset(str(shard), "GZIP").as_numpy_iterator())
    assert copied == records * 2
    assert done.sources == ((str(file), 10),)


@pytest.mark.parametrize("layout", [corpus.OBJECTS["no errors"][1], corpus.OBJECTS["nan error"][1]])
def test_missing_errors_are_filled_in_and_the_policy_is_recorded(tmp_path, layout):
    curves = corpus.good("train")
    fold = corpus.write_splits(tmp_path / "fold", train=[layout(curve) for curve in curves])
    errors = MissingErrorsConfig("constant", 0.25)
    examples = run_example_gen(fold, tmp_path / "examples", errors=errors)
    assert examples.get_string_custom_property("missing_errors") == "constant"
    assert examples.get_float_custom_property("error_fill") == 0.25
    ingested = read_light_curves(split_files(examples, "train"))
    assert ingested.errmag[3] == 0.25
    np.testing.assert_array_equal(ingested.mag, np.concatenate([c.mag for c in curves]))
    untouched = read_light_curves(split_files(examples, "test"))
    np.testing.assert_array_equal(
        untouched.errmag, np.concatenate([c.errmag for c in corpus.good("test")])
    )


def test_what_was_done_to_the_survey_is_a_property(tmp_path):
    fold = corpus.write_splits(tmp_path / "fold")
    examples = run_example_gen(fold, tmp_path / "unknown")
    assert json.loads(examples.get_string_custom_property("processing")) == {}
    config = '[processing]\nmissing_errors = "scatter"\nzero_point = 25.0\n'
    (tmp_path / "fold" / "config.toml").write_text(config)
    examples = run_example_gen(fold, tmp_path / "known")
    done = {"missing_errors": "scatter", "zero_point": 25.0}
    assert json.loads(examples.get_string_custom_property("processing")) == done
    errors = MissingErrorsConfig("constant", 0.25)
    examples = run_example_gen(fold, tmp_path / "filled", errors=errors)
    done = {"missing_errors": "constant", "zero_point": 25.0, "error_fill": 0.25}
    assert json.loads(examples.get_string_custom_property("processing")) == done
