"""The built-in survey's light curves look like real ones."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.light_curves import LightCurves
from astromer.records.config import LightCurveRules
from astromer.records.synthetic.built_in import STAR_CLASSES, make_star, make_survey


@pytest.fixture(scope="module")
def survey() -> LightCurves:
    return make_survey(200, seed=7)


def of_class(survey: LightCurves, name: str) -> list[int]:
    return [int(i) for i in np.flatnonzero(survey.class_names == name)]


def test_equal_seeds_give_equal_surveys_and_others_do_not():
    one, again, other = make_survey(20, seed=1), make_survey(20, seed=1), make_survey(20, seed=2)
    assert np.array_equal(one.mjd, again.mjd)
    assert np.array_equal(one.mag, again.mag)
    assert np.array_equal(one.errmag, again.errmag)
    assert not np.array_equal(one.lengths, other.lengths)


def test_a_star_does_not_depend_on_the_size_of_its_survey(survey):
    assert np.array_equal(make_survey(5, seed=7)[4].mag, survey[4].mag)
    assert np.array_equal(make_star(150, seed=7).mag, survey[150].mag)


def test_twenty_stars_show_every_class():
    assert set(make_survey(20, seed=0).class_names) == {c.name for c in STAR_CLASSES}


def test_labels_are_indices_into_the_sorted_class_names(survey):
    names = sorted({c.name for c in STAR_CLASSES})
    assert [names[label] for label in survey.labels] == list(survey.class_names)


def test_ids_are_unique(survey):
    assert len(set(survey.ids)) == len(survey)


def test_lengths_are_those_of_real_surveys(survey):
    assert survey.lengths.min() >= 40
    assert survey.lengths.max() <= 1200
    assert np.ptp(survey.lengths) > 300
    assert (survey.lengths > 200).mean() > 0.5, "windows of 200 would hardly ever be full"


def test_observations_pass_the_rules_for_usable_ones(survey):
    rules = LightCurveRules()
    assert survey.mjd.dtype == np.float64
    assert survey.mag.dtype == survey.errmag.dtype == np.float32
    for values, low, high in (
        (survey.mjd, rules.min_mjd, rules.max_mjd),
        (survey.mag, rules.min_mag, rules.max_mag),
        (survey.errmag, rules.min_errmag, rules.max_errmag),
    ):
        assert ((values > low) & (values < high)).all()


def test_times_increase_strictly_within_a_curve(survey):
    for curve in (survey[i] for i in range(len(survey))):
        assert (np.diff(curve.mjd) > 0).all()


def test_every_curve_has_seasonal_gaps_and_no_observation_in_full_moonlight(survey):
    for curve in (survey[i] for i in range(len(survey))):
        assert np.diff(curve.mjd).max() > 60
    from_new = (survey.mjd - 51564.195 + 29.530588 / 2) % 29.530588  # 14.77 = full moon
    assert (np.abs(from_new - 29.530588 / 2) > 0.6).all()
    assert (np.abs(from_new - 29.530588 / 2) > 8).mean() > 0.4


def test_errors_grow_with_magnitude_and_scatter_at_a_given_one(survey):
    bright, faint = survey.mag < 14, survey.mag > 17.5
    assert np.median(survey.errmag[faint]) > 4 * np.median(survey.errmag[bright])
    medium = (survey.mag > 15.9) & (survey.mag < 16.1)
    assert np.std(np.log(survey.errmag[medium])) > 0.1


def test_constant_stars_scatter_by_their_errors_but_for_a_few_outliers(survey):
    residual = np.concatenate(
        [
            (survey[i].mag - np.median(survey[i].mag)) / survey[i].errmag
            for i in of_class(survey, "Const")
        ]
    )
    core = 1.4826 * np.median(np.abs(residual))
    assert 0.7 < core < 1.4
    assert 0.002 < (np.abs(residual) > 5 * core).mean() < 0.05


@pytest.mark.parametrize("name", [c.name for c in STAR_CLASSES if c.name != "Const"])
def test_variable_stars_vary_by_more_than_their_errors(survey, name):
    ratios = [np.std(survey[i].mag) / np.median(survey[i].errmag) for i in of_class(survey, name)]
    assert np.median(ratios) > 2


def test_slow_variables_are_smooth_and_fast_ones_are_not(survey):
    def roughness(index: int) -> float:
        """Von Neumann's ratio: 2 for white noise, near 0 for what changes slowly."""
        curve = survey[index]
        near = np.diff(curve.mjd) < 5
        return float(np.mean(np.diff(curve.mag)[near] ** 2) / np.var(curve.mag))

    assert np.median([roughness(i) for i in of_class(survey, "Mira")]) < 0.2
    assert np.median([roughness(i) for i in of_class(survey, "QSO")]) < 1.2
    assert np.median([roughness(i) for i in of_class(survey, "RRab")]) > 1.2


@pytest.mark.parametrize(("curves", "seed"), [(-1, 0), (1, -1)])
def test_negative_numbers_are_refused(curves, seed):
    with pytest.raises(ValueError, match="negative"):
        make_survey(curves, seed)
