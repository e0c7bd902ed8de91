"""The endless survey: the same stars however they are asked for, valid, and of every kind."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections import Counter

import numpy as np
import pytest

from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import period_recovery
from astromer.periodogram.lomb_scargle import (
    PeriodogramConfig,
    frequency_grid,
    highest_peaks,
    power_spectrum,
)
from astromer.records.config import LightCurveRules
from astromer.records.synthetic.endless import CLASSES, SyntheticSurvey, with_synthetic
from astromer.records.synthetic.surveys import SURVEYS

SURVEY = SyntheticSurvey(7)
NUMBER = 3000


@pytest.fixture(scope="module")
def curves() -> LightCurves:
    return SURVEY.light_curves(range(NUMBER))


def survey_of(identifier: str) -> str:
    return identifier.rsplit("-", 2)[0]


def test_an_object_is_the_same_alone_in_a_range_and_in_another_process(curves):
    one = SURVEY[123]
    for name in ("mjd", "mag", "errmag"):
        assert np.array_equal(getattr(one, name), getattr(curves[123], name))
    assert (one.id, one.label) == (curves[123].id, curves[123].label)
    assert np.array_equal(one.period, curves[123].period, equal_nan=True)
    code = (
        "import sys, zlib; from astromer.records.synthetic.endless import SyntheticSurvey as S; "
        "c = S(7)[123]; "
        "print(zlib.crc32(c.mjd.tobytes() + c.mag.tobytes() + c.errmag.tobytes()), "
        "'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    here = zlib.crc32(one.mjd.tobytes() + one.mag.tobytes() + one.errmag.tobytes())
    assert done.stdout.split() == [str(here), "False"], done.stderr


def test_other_seeds_and_numbers_give_other_objects(curves):
    assert len(set(curves.ids)) == NUMBER
    starts = {(float(SyntheticSurvey(seed)[5].mjd[0])) for seed in range(20)}
    assert len(starts) == 20


def test_observations_are_usable(curves):
    rules = LightCurveRules()
    assert curves.mjd.dtype == np.float64
    assert curves.mag.dtype == curves.errmag.dtype == np.float32
    for values, low, high in (
        (curves.mjd, rules.min_mjd, rules.max_mjd),
        (curves.mag, rules.min_mag, rules.max_mag),
        (curves.errmag, rules.min_errmag, rules.max_errmag),
    ):
        assert ((values > low) & (values < high)).all()
    curve = np.repeat(np.arange(NUMBER), curves.lengths)
    assert (np.diff(curves.mjd)[np.diff(curve) == 0] > 0).all()
    assert curves.lengths.min() >= 10
    assert curves.lengths.max() <= SURVEY.longest
    assert 250 < curves.lengths.mean() < 600
    assert (curves.lengths < 30).any()
    assert (curves.lengths > 2000).any()


def test_surveys_and_classes_are_as_frequent_as_their_tables_say(curves):
    surveys = Counter(map(survey_of, curves.ids))
    total = sum(survey.share for survey in SURVEYS)
    for survey in SURVEYS:
        expected = NUMBER * survey.share / total
        assert abs(surveys[survey.name] - expected) < 4 * np.sqrt(expected)
    expected_classes = dict.fromkeys((kind.name for kind in CLASSES), 0.0)
    for survey in SURVEYS:
        seen = [kind for kind in CLASSES if survey.name in kind.surveys]
        for kind in seen:
            share = survey.share / total * kind.share / sum(other.share for other in seen)
            expected_classes[kind.name] += NUMBER * share
    classes = Counter(curves.class_names)
    assert set(classes) == set(expected_classes)
    for name, expected in expected_classes.items():
        assert abs(classes[name] - expected) < 4.5 * np.sqrt(expected), name
    assert [CLASSES[label].name for label in curves.labels] == list(curves.class_names)


def test_names_are_unique_and_every_class_is_in_some_survey():
    assert len({kind.name for kind in CLASSES}) == len(CLASSES)
    assert len({survey.name for survey in SURVEYS}) == len(SURVEYS)
    assert all(kind.surveys for kind in CLASSES)


def test_periods_of_well_observed_rr_lyrae_stars_are_found(curves):
    config = PeriodogramConfig()
    found, periods = [], []
    for index in np.flatnonzero(curves.class_names == "RRab")[:150]:
        star = curves[int(index)]
        if len(star) < 150 or np.ptp(star.mjd) < 300 or np.median(star.errmag) > 0.05:
            continue
        step, number = frequency_grid(float(np.ptp(star.mjd)), config)
        mag, errmag = star.mag.astype(np.float64), star.errmag.astype(np.float64)
        power = power_spectrum(star.mjd - star.mjd[0], mag, errmag, step, number)
        found.append(highest_peaks(power, step, 3, 4)[0])
        periods.append(star.period)
    recovery = period_recovery(np.array(found), np.array(periods))
    print(recovery.summary())
    assert recovery.stars > 50
    assert recovery.exact_first > 0.9
    assert recovery.related_any > 0.97


def test_constant_stars_scatter_as_their_errors_say_where_these_inform(curves):
    ratios: dict[str, list[float]] = {"gaia": [], "lsst": [], "crts": [], "ogle": []}
    for index in np.flatnonzero(curves.class_names == "CST"):
        star = curves[int(index)]
        if survey_of(star.id) in ratios and len(star) > 30:
            spread = 1.4826 * np.median(np.abs(star.mag - np.median(star.mag)))
            ratios[survey_of(star.id)].append(spread / np.median(star.errmag))
    assert 0.7 < np.median(ratios["lsst"]) < 1.4
    assert 0.8 < np.median(ratios["ogle"]) < 1.6
    assert 0.4 < np.median(ratios["crts"]) < 0.8, "its errors are too large"


def test_long_light_curves_are_cut():
    short = SyntheticSurvey(7, longest=100)
    lengths = short.light_curves(range(60)).lengths
    assert lengths.max() <= 100
    assert (lengths > 60).sum() > 20


@pytest.mark.parametrize(("seed", "longest"), [(-1, 100), (0, 9)])
def test_settings_out_of_range_are_refused(seed, longest):
    with pytest.raises(ValueError, match="at least"):
        SyntheticSurvey(seed, longest)


def test_negative_numbers_are_refused():
    with pytest.raises(IndexError, match="at least 0"):
        SURVEY[-1]


@pytest.mark.parametrize(("share", "added"), [(0.0, 0), (0.25, 2), (0.5, 6)])
def test_synthetic_stars_follow_those_of_a_survey(toy, share, added):
    survey = toy.curves([20] * 6)
    mixed = with_synthetic(survey, share, seed=3)
    assert mixed.ids[:6].tolist() == survey.ids.tolist()
    assert mixed.ids[6:].tolist() == [SyntheticSurvey(3)[i].id for i in range(added)]
