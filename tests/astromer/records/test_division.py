from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from astromer.records.config import RecordsConfig
from astromer.records.division import (
    TEST,
    TRAIN,
    UNUSED,
    VALIDATION,
    cross_validate,
    divide_stars,
    star_key,
    star_name,
)
from astromer.records.sources.metadata import load_metadata
from astromer.records.survey_config import default_config
from astromer.system.errors import UsageError


def divided(stars, classes=None, usable=None, fixed=None, val=0.2, test=0.2, seed=(1, 0)):
    stars = np.asarray(stars)
    count = len(stars)
    return divide_stars(
        stars,
        np.full(count, "") if classes is None else np.asarray(classes),
        np.ones(count, bool) if usable is None else np.asarray(usable),
        np.zeros(count, bool) if fixed is None else np.asarray(fixed),
        val,
        test,
        seed,
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=120), st.floats(0.01, 0.49), st.data())
def test_a_star_lies_in_one_subset_and_no_subset_is_empty(stars, fraction, data):
    usable = data.draw(st.lists(st.booleans(), min_size=len(stars), max_size=len(stars)))
    stars, usable = np.array(stars), np.array(usable)
    if len(np.unique(stars[usable])) < 3:
        with pytest.raises(UsageError):
            divided(stars, usable=usable, val=fraction, test=fraction)
        return
    subsets = divided(stars, usable=usable, val=fraction, test=fraction)
    assert (subsets[~usable] == UNUSED).all()
    assert set(subsets[usable]) == {TRAIN, VALIDATION, TEST}
    for star in np.unique(stars[usable]):
        assert len(set(subsets[usable & (stars == star)])) == 1


def test_classes_keep_their_proportions():
    classes = np.repeat(["common", "middling", "rare"], [500, 100, 10])
    order = np.random.default_rng(0).permutation(610)
    subsets = divided(np.arange(610), classes[order], val=0.1, test=0.3)
    for name, size in (("common", 500), ("middling", 100), ("rare", 10)):
        counts = np.bincount(subsets[classes[order] == name], minlength=3)
        np.testing.assert_allclose(counts, np.array([0.6, 0.1, 0.3]) * size, atol=1.5)


def test_the_division_follows_the_seed_and_not_the_order_of_the_rows():
    stars, classes = np.arange(200), np.array(["a", "b"] * 100)
    subsets = divided(stars, classes)
    order = np.random.default_rng(3).permutation(200)
    np.testing.assert_array_equal(divided(stars[order], classes[order]), subsets[order])
    assert (divided(stars, classes, seed=(1, 1)) != subsets).any()
    assert (divided(stars, classes, seed=(2, 0)) != subsets).any()


def test_a_given_test_set_takes_its_stars_whole_and_no_others():
    stars = np.repeat(np.arange(20), 2)
    fixed = np.zeros(40, bool)
    fixed[[0, 10]] = True  # one band each of the stars 0 and 5
    subsets = divided(stars, fixed=fixed)
    assert set(stars[subsets == TEST]) == {0, 5}
    assert (subsets == TEST).sum() == 4
    assert (subsets == VALIDATION).sum() == 2 * round(18 * 0.2)


@pytest.mark.parametrize(("val", "test"), [(0, 0.2), (0.2, 0), (0.5, 0.5), (-0.1, 0.2), (2, 2)])
def test_fractions_that_leave_a_subset_empty_are_refused(val, test):
    with pytest.raises(UsageError, match="--(val|test)-frac"):
        RecordsConfig(val_frac=val, test_frac=test)


def folds_of(stars, classes=None, fixed=None, val=0.2, test=0.2, seed=1, folds=5):
    stars = np.asarray(stars)
    count = len(stars)
    return cross_validate(
        stars,
        np.full(count, "") if classes is None else np.asarray(classes),
        np.ones(count, bool),
        np.zeros(count, bool) if fixed is None else np.asarray(fixed),
        val,
        test,
        seed,
        folds,
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc")), min_size=1, max_size=120),
    st.integers(2, 8),
    st.floats(0.01, 0.49),
    st.floats(0.01, 0.49),
)
def test_no_star_is_tested_on_in_two_folds(curves, folds, val, test):
    stars, classes = (np.array(column) for column in zip(*curves, strict=True))
    count = len(np.unique(stars))
    if count < folds or count - -(-count // folds) < 2:
        with pytest.raises(UsageError, match="Give fewer --folds"):
            folds_of(stars, classes, val=val, test=test, folds=folds)
        return
    divisions = folds_of(stars, classes, val=val, test=test, folds=folds)
    assert divisions.shape == (folds, len(stars))
    tested = np.zeros(len(stars), int)
    for division in divisions:
        assert set(division) == {TRAIN, VALIDATION, TEST}
        for star in np.unique(stars):
            assert len(set(division[stars == star])) == 1
        tested += division == TEST
        assert len(np.unique(stars[division == TEST])) <= -(-count // folds)
    assert tested.max() == 1
    if folds * test >= 1:
        assert tested.min() == 1
    np.testing.assert_array_equal(
        divisions, folds_of(stars, classes, val=val, test=test, folds=folds)
    )


@pytest.mark.parametrize(("folds", "test"), [(5, 0.2), (4, 0.1), (10, 0.2)])
def test_every_fold_keeps_the_proportions_of_the_classes(folds, test):
    classes = np.repeat(["common", "middling", "rare"], [500, 103, 20])
    order = np.random.default_rng(0).permutation(len(classes))
    shares = np.array([1 - 0.1 - min(test, 1 / folds), 0.1, min(test, 1 / folds)])
    divisions = folds_of(np.arange(len(classes)), classes[order], val=0.1, test=test, folds=folds)
    for division in divisions:
        for name, size in (("common", 500), ("middling", 103), ("rare", 20)):
            counts = np.bincount(division[classes[order] == name], minlength=3)
            np.testing.assert_allclose(counts, shares * size, atol=2.5)


def test_validation_stars_are_shared_between_folds_only_where_they_must():
    divisions = folds_of(np.arange(100), val=0.2, folds=5)
    assert ((divisions == VALIDATION).sum(axis=0) == 1).all()
    divisions = folds_of(np.arange(100), val=0.3, folds=5)
    assert ((divisions == VALIDATION).sum(axis=1) == 30).all()
    assert (divisions == VALIDATION).sum(axis=0).max() == 2


def test_a_given_test_set_is_the_test_of_every_fold():
    stars = np.repeat(np.arange(30), 2)
    fixed = stars < 6
    divisions = folds_of(stars, fixed=fixed, folds=4)
    for division in divisions:
        assert set(stars[division == TEST]) == set(range(6))
    assert (divisions[:, ~fixed] == VALIDATION).sum(axis=0).max() == 1


def test_one_fold_is_the_plain_division():
    stars, classes = np.arange(200), np.array(["a", "b"] * 100)
    (only,) = folds_of(stars, classes, folds=1, seed=7)
    np.testing.assert_array_equal(only, divided(stars, classes, seed=(7, 0)))


def test_the_folds_follow_the_seed_and_not_the_order_of_the_rows():
    stars, classes = np.arange(200), np.array(["a", "b"] * 100)
    divisions = folds_of(stars, classes)
    order = np.random.default_rng(3).permutation(200)
    np.testing.assert_array_equal(folds_of(stars[order], classes[order]), divisions[:, order])
    assert (folds_of(stars, classes, seed=2) != divisions).any()


def test_a_band_at_the_end_is_no_part_of_the_name():
    assert star_name("STAR_R", "R") == star_name("STAR_B", "B") == "STAR"
    assert star_name("STAR", "R") == "STAR"
    assert star_name("STARR", "R") == "STARR"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("LMC-7", ""), ("lmc-7", "")),
        (("S1", "V"), (" S1 ", "R")),
        (("RR  Lyr", ""), ("RR Lyr", "")),
        (("77", ""), ("0077", "")),
        (("s1_r", "R"), ("S1-B", "b")),
        (("Å 3", ""), ("Å 3", "")),
    ],
)
def test_one_star_however_it_is_written(one, other):
    assert star_key(*one) == star_key(*other)


def test_different_stars_stay_different():
    names = ["S1", "S2", "S12", "S 1", "0", "00x", "x00", "-7", "7"]
    assert len({star_key(name, "") for name in names}) == len(names)


def test_no_name_is_no_star():
    assert star_key("", "V") == star_key("  ", "") == ""


@given(st.text(st.characters(max_codepoint=0x17F), max_size=12), st.sampled_from(["", "V", "R "]))
def test_a_key_is_its_own_key(name, band):
    key = star_key(name, band)
    assert star_key(key, "") == key


def test_metadata_count_such_names_as_one_star(tmp_path):
    survey = tmp_path / "survey"
    (survey / "light_curves").mkdir(parents=True)
    names = ["lmc-7 ", "LMC-7", "lmc-8_R", "LMC-8", ""]
    table = {"newID": range(5), "ID": names, "Band": ["V", "V", "R", "B", "V"]}
    pq.write_table(pa.table({k: list(v) for k, v in table.items()}), survey / "metadata.parquet")
    config = default_config(survey).with_context(
        {"newID": "integer", "ID": "string", "Band": "string"}, "newID"
    )
    stars = load_metadata(config, survey / "metadata.parquet").stars
    assert stars[0] == stars[1]
    assert stars[2] == stars[3]
    assert len(set(stars.tolist())) == 3
