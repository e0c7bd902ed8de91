"""Files of every known survey, with and without naming it, in the three ways of reading them."""

from __future__ import annotations

import numpy as np
import pytest

import astromer
from astromer.commands.embed import _from_survey
from astromer.records.config import SurveyOptions
from astromer.records.sources.survey import read_curves
from astromer.records.survey_config import describe_survey
from astromer.records.survey_profile import shipped
from tests.astromer.records.sources.survey_samples import SAMPLES, STARS, Sample, rows


def expected(sample: Sample) -> dict[tuple[str, str], np.ndarray]:
    """(id, band) and [n, 3] of mjd, mag and errmag."""
    curves = {}
    for star in STARS:
        for number, band in enumerate(sample.bands):
            curve = np.array(rows(star, number))
            if sample.one_time:
                curve[:, 0] = np.array(rows(star))[:, 0]
            curves[sample.ids(star), band] = curve
    return curves


def check(found: dict, sample: Sample) -> None:
    wanted = expected(sample)
    assert sorted(found) == sorted(wanted)
    for name, curve in wanted.items():
        mjd, mag, errmag = found[name]
        np.testing.assert_allclose(mjd, curve[:, 0], rtol=0, atol=2e-5)
        np.testing.assert_allclose(mag, curve[:, 1], rtol=0, atol=1e-4)
        np.testing.assert_allclose(errmag, curve[:, 2], rtol=0, atol=1e-5)


def by_name(parts) -> dict:
    found = {}
    for curves in parts:
        for i in range(len(curves)):
            one = curves[i]
            usable = np.isfinite(one.mag) & np.isfinite(one.errmag)
            series = (one.mjd[usable], one.mag[usable], one.errmag[usable])
            found[one.id, one.band] = series
    return found


@pytest.mark.parametrize("case", SAMPLES)
def test_a_survey_is_known_by_its_columns_and_read_right(tmp_path, case):
    sample = SAMPLES[case]
    data = sample.write(tmp_path)
    for name in ("auto", sample.profile):
        lines: list[str] = []
        config = describe_survey(SurveyOptions(survey=name), data)
        check(by_name(read_curves(config, tmp_path, announce=lines.extend, progress=False)), sample)
        assert lines[0].split()[1] == f"{sample.profile}:"
        wanted = [f"{n} {r.replace('_', ' ')}" for r, n in sample.dropped.items()] or ["nothing"]
        left_out = next(line for line in lines if line.startswith("left out"))
        assert sorted(left_out.split(None, 2)[2].split(", ")) == sorted(wanted)


@pytest.mark.parametrize("case", SAMPLES)
def test_records_embeddings_and_python_get_the_same_curves(tmp_path, survey, case):
    sample = SAMPLES[case]
    data = sample.write(tmp_path)
    check(by_name([astromer.read(data, quiet=True)]), sample)
    parts = [curves for _, curves, _ in _from_survey(data, SurveyOptions(), tmp_path)]
    check(by_name(parts), sample)
    _, found = survey.convert(data)
    assert sorted(found) == sorted({name for name, _ in expected(sample)})
    assert all(len(parts) == len(sample.bands) for parts in found.values())


def test_every_profile_has_a_sample_and_documents():
    tested = {sample.profile for sample in SAMPLES.values()}
    assert tested == set(shipped()) - {"generic"}
    for name, profile in shipped().items():
        assert profile.documents or profile.is_generic, name
