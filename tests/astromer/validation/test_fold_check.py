"""Every broken object is found and named; the good ones beside it stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astromer.light_curves import LightCurve
from astromer.records.fold import SPLITS, Fold
from astromer.system.errors import DataNotFoundError, RecordError
from astromer.validation.config import ValidationConfig
from astromer.validation.findings import Validation
from astromer.validation.fold_check import validate_fold
from tests.astromer.validation import corpus
from tests.pipeline.folds import encode, write_records


def validate(folder: Path, **severities: str) -> Validation:
    return validate_fold(Fold.open(folder), ValidationConfig(**severities), progress=False)


def test_good_light_curves_have_no_findings(tmp_path):
    found = validate(corpus.write_splits(tmp_path))
    assert list(found.findings) == []
    assert found.curves == corpus.SIZES
    assert [found.rejected[split].tolist() for split in SPLITS] == [[], [], []]
    assert found.fraction_rejected == 0


@pytest.mark.parametrize("name", corpus.OBJECTS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_broken_object_is_found_named_and_left_out(tmp_path, name, split):
    rule, _, said = corpus.OBJECTS[name]
    found = validate(corpus.write_splits(tmp_path, **{split: corpus.spoilt(name, split)}))
    (finding,) = found.findings
    assert (finding.rule, finding.split, finding.record) == (rule, split, corpus.BAD)
    assert finding.object_id == corpus.good(split)[corpus.BAD].id
    assert finding.file == str(tmp_path / split / "0.record")
    assert said in finding.detail
    assert found.rejected[split].tolist() == [corpus.BAD]
    assert found.num_rejected == 1
    (example,) = found.examples
    assert example[0] == finding
    assert example[1].id == finding.object_id
    assert len(example[1].mjd) == len(example[1].mag) == len(example[1].errmag)


def test_warnings_are_found_and_kept(tmp_path):
    curves = corpus.good("train")
    curves[3] = replace(curves[3], mag=np.full_like(curves[3].mag, 15.5))
    curves[7] = replace(curves[7], id="")
    found = validate(corpus.write_splits(tmp_path, train=curves))
    assert [(f.rule, f.record) for f in found.findings] == [("constant_mag", 3), ("missing_id", 7)]
    assert "magnitudes are 15.5" in found.findings[0].detail
    assert found.num_rejected == 0
    assert found.accepted("train") == 24


@pytest.mark.parametrize(
    ("severity", "found", "left_out"), [("warn", 1, 0), ("stop", 1, 1), ("off", 0, 0)]
)
def test_severities_can_be_changed(tmp_path, severity, found, left_out):
    fold = corpus.write_splits(tmp_path, train=corpus.spoilt("time goes back"))
    result = validate(fold, unsorted_mjd=severity)
    assert (len(result.findings), result.num_rejected) == (found, left_out)


def test_an_object_that_breaks_several_rules_is_left_out_once(tmp_path):
    curves = corpus.spoilt("four observations")
    errmag = curves[corpus.BAD].errmag.copy()
    errmag[:2] = (np.nan, 3)
    curves[corpus.BAD] = replace(curves[corpus.BAD], errmag=errmag)
    found = validate(corpus.write_splits(tmp_path, train=curves))
    assert list(found.findings.counts()) == ["missing_errmag", "errmag_out_of_range", "too_short"]
    assert found.num_rejected == 1


def renamed(curve: LightCurve, name: str) -> LightCurve:
    return replace(curve, id=name)


def test_the_second_of_two_objects_with_one_id_goes(tmp_path):
    curves = corpus.good("train")
    curves[9] = renamed(curves[9], curves[2].id)
    found = validate(corpus.write_splits(tmp_path, train=curves))
    (finding,) = found.findings
    assert (finding.rule, finding.record) == ("duplicate_id", 9)
    assert "record 2 of" in finding.detail
    assert found.examples[0][1].mag.tolist() == curves[9].mag.tolist()


def test_one_id_in_two_bands_is_no_duplicate(tmp_path):
    curves = corpus.good("train")
    records = [encode(c, Band="V") for c in curves]
    records[9] = encode(renamed(curves[9], curves[2].id), Band="R")
    assert list(validate(corpus.write_splits(tmp_path, train=records)).findings) == []


def test_a_renamed_copy_in_the_same_split_goes(tmp_path):
    curves = corpus.good("validation")
    curves[11] = renamed(curves[0], "another name")
    found = validate(corpus.write_splits(tmp_path, validation=curves))
    (finding,) = found.findings
    assert (finding.rule, finding.record) == ("duplicate_curve", 11)
    assert f"object {curves[0].id}, record 0 of" in finding.detail


def test_an_exact_copy_is_one_finding(tmp_path):
    curves = corpus.good("train")
    curves[11] = curves[0]
    found = validate(corpus.write_splits(tmp_path, train=curves))
    assert list(found.findings.counts().items()) == [("duplicate_id", 1)]


def test_a_copy_is_known_whether_or_not_its_times_are_exact(tmp_path):
    curves: list = corpus.good("train")
    curves[11] = corpus.raw(renamed(curves[0], "older"))
    found = validate(corpus.write_splits(tmp_path, train=curves))
    assert list(found.findings.counts()) == ["duplicate_curve"]


@pytest.mark.parametrize(
    ("loser", "keeper"), [("train", "test"), ("train", "validation"), ("validation", "test")]
)
@pytest.mark.parametrize("suffix", ["", "_B"])
def test_a_star_in_two_splits_leaves_the_one_that_can_spare_it(tmp_path, loser, keeper, suffix):
    splits = {loser: corpus.good(loser), keeper: corpus.good(keeper)}
    star = splits[loser][4].id
    records = {split: [encode(c) for c in curves] for split, curves in splits.items()}
    records[keeper][6] = encode(renamed(splits[keeper][6], star + suffix), Band="B")
    found = validate(corpus.write_splits(tmp_path, **records))
    (finding,) = found.findings
    assert (finding.rule, finding.split, finding.record) == ("leaked_star", loser, 4)
    assert finding.detail.endswith(f"in {keeper}")
    assert found.rejected[loser].tolist() == [4]
    assert found.rejected[keeper].tolist() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("lmc-7", "LMC-7"), ("S1 ", "S1"), ("RR  Lyr", "RR Lyr"), ("0077", "77"), ("77", 77)],
)
def test_a_star_is_known_however_its_name_is_written(tmp_path, one, other):
    train: list = [encode(curve) for curve in corpus.good("train")]
    test: list = [encode(curve) for curve in corpus.good("test")]
    train[4] = encode(corpus.good("train")[4], ID=one)
    test[6] = encode(corpus.good("test")[6], ID=other)
    found = validate(corpus.write_splits(tmp_path, train=train, test=test))
    assert [(f.rule, f.split, f.record) for f in found.findings] == [("leaked_star", "train", 4)]


def test_names_that_differ_in_case_or_encoding_are_no_duplicates_in_a_split(tmp_path):
    names: list = ["a Cen", "A Cen", b"\xe9toile", b"\xe8toile"]
    records = [encode(c, ID=name) for c, name in zip(corpus.good("train"), names)]
    assert list(validate(corpus.write_splits(tmp_path, train=records)).findings) == []


@pytest.mark.parametrize("name", ["S1", " S1", "S1 "])
def test_spaces_around_a_name_make_no_other(tmp_path, name):
    records = [encode(curve) for curve in corpus.good("train")]
    records[2] = encode(corpus.good("train")[2], ID="S1")
    records[9] = encode(corpus.good("train")[9], ID=name)
    found = validate(corpus.write_splits(tmp_path, train=records))
    assert [(f.rule, f.record) for f in found.findings] == [("duplicate_id", 9)]


def shuffled(curve: LightCurve) -> LightCurve:
    order = np.random.default_rng(5).permutation(len(curve))
    series = {name: getattr(curve, name)[order] for name in ("mjd", "mag", "errmag")}
    return replace(curve, id="renamed", **series)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_renamed_copy_in_another_order_is_known_and_takes_nothing_with_it(tmp_path, split):
    splits = {"train": corpus.good("train"), split: corpus.good(split)}
    splits[split][9] = shuffled(splits["train"][3])
    found = validate(corpus.write_splits(tmp_path, **splits))
    copied = "duplicate_curve" if split == "train" else "leaked_curve"
    assert [(f.rule, f.split, f.record) for f in found.findings] == [
        ("unsorted_mjd", split, 9),
        (copied, split, 9),
    ]
    assert "record 3 of" in found.findings[1].detail
    assert found.num_rejected == 1
    found = validate(tmp_path, unsorted_mjd="off")
    loser = (split, 9) if split == "train" else ("train", 3)
    assert [(f.rule, f.split, f.record) for f in found.findings] == [(copied, *loser)]


def test_a_renamed_copy_in_another_split_leaves_the_training(tmp_path):
    train, test = corpus.good("train"), corpus.good("test")
    test[3] = renamed(train[20], "renamed")
    found = validate(corpus.write_splits(tmp_path, train=train, test=test))
    (finding,) = found.findings
    assert (finding.rule, finding.split, finding.record) == ("leaked_curve", "train", 20)
    assert "has the observations of object renamed, record 3 of" in finding.detail


def test_a_star_in_all_three_splits_stays_in_the_test_alone(tmp_path):
    splits = {split: corpus.good(split) for split in SPLITS}
    for curves in splits.values():
        curves[1] = renamed(curves[1], "everywhere")
    found = validate(corpus.write_splits(tmp_path, **splits))
    assert [(f.rule, f.split) for f in found.findings] == [
        ("leaked_star", "train"),
        ("leaked_star", "validation"),
    ]


def test_what_is_rejected_anyway_does_not_take_others_with_it(tmp_path):
    train, test = corpus.spoilt("sentinel"), corpus.good("test")
    train[9] = renamed(train[9], train[corpus.BAD].id)
    test[2] = corpus.OBJECTS["sentinel"][1](renamed(test[2], train[0].id))
    found = validate(corpus.write_splits(tmp_path, train=train, test=test))
    assert found.findings.counts() == {"mag_out_of_range": 2}


def test_files_are_counted_on_and_named_in_order(tmp_path):
    fold = corpus.write_splits(tmp_path)
    curves = corpus.spoilt("sentinel")
    write_records(fold / "train" / "10.record", [encode(renamed(c, f"b{c.id}")) for c in curves])
    write_records(fold / "train" / "2.record", [encode(corpus.good("train", 1, 90)[0])])
    found = validate(fold)
    counts = found.findings.counts()
    # The file repeats the curves of the first one under other names.
    assert counts == {"mag_out_of_range": 1, "duplicate_curve": 23}
    first = next(iter(found.findings))
    assert first.file.endswith("10.record")
    assert first.record == 0
    assert found.rejected["train"].tolist() == list(range(25, 49))
    assert len(found.examples) == 4


def test_faults_of_files_are_no_findings(tmp_path):
    fold = corpus.write_splits(tmp_path)
    file = fold / "test" / "0.record"
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    with pytest.raises(RecordError, match=r"record 11 \(counted from 0\) of .*0\.record"):
        validate(fold)
    write_records(file, [])
    write_records(fold / "test" / "1.record", [], "GZIP")
    with pytest.raises(DataNotFoundError, match=r"2 record file.* are empty: the test split"):
        validate(fold)


@st.composite
def good_curves(draw) -> list[LightCurve]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    curves = []
    for number in range(draw(st.integers(1, 6))):
        size = int(rng.integers(5, 300))
        steps = rng.exponential(draw(st.floats(0.01, 50)), size) + 0.01
        curves.append(
            LightCurve(
                draw(st.floats(1, 60000)) + np.cumsum(steps),
                rng.normal(draw(st.floats(-12, 22)), 1, size).astype(np.float32),
                rng.uniform(0.001, 0.99, size).astype(np.float32),
                id=f"{draw(st.text(max_size=4))}-{number}",
            )
        )
    return curves


@settings(max_examples=15)
@given(good_curves())
def test_whatever_good_light_curves_there_are_nothing_is_found(tmp_path_factory, curves):
    folder = corpus.write_splits(tmp_path_factory.mktemp("fold"), train=curves)
    assert list(validate(folder).findings) == []
