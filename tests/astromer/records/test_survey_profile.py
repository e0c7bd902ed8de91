from __future__ import annotations

from pathlib import Path

import pytest

import astromer
from astromer.records.survey_profile import (
    days_to_mjd,
    first_of,
    load_profile,
    named_profile,
    recognise,
    shipped,
)
from astromer.system.errors import UsageError

MINE = """
based_on = "generic"
[time]
columns = ["tmid"]
system = "HJD - 2450000"
[[value]]
magnitude = ["vmag"]
error = ["e_vmag"]
[[quality]]
column = ["flag"]
keep = [0]
[sentinels]
limit_marks = ["<"]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "mine.toml").write_text(text)
    return folder / "mine.toml"


def test_a_new_survey_takes_a_few_lines(tmp_path):
    rows = ["2000.5,15.5,0.1,0,a", "2000.75,<12,,0,a", "2001.5,9,0.1,1,a", "2002.5,14,0.1,0,b"]
    (tmp_path / "t.csv").write_text("tmid,vmag,e_vmag,flag,id\n" + "\n".join(rows))
    curves = astromer.read(tmp_path / "t.csv", survey=str(write(tmp_path, MINE)), quiet=True)
    assert curves.ids.tolist() == ["a", "b"]
    assert curves.mjd.tolist() == [52000, 52002]
    assert curves.mag.tolist() == [15.5, 14]
    (tmp_path / "config.toml").write_text(MINE.replace('based_on = "generic"', ""))
    again = astromer.read(tmp_path / "t.csv", survey=str(tmp_path / "mine.toml"), quiet=True)
    assert again.mjd.tolist() == curves.mjd.tolist()


def test_a_config_may_say_what_a_profile_says(tmp_path):
    text = "tmid,vmag,e_vmag,flag\n2000.5,15.5,0.1,0\n2001.5,9,0.1,1\n"
    (tmp_path / "star.csv").write_text(text)
    (tmp_path / "config.toml").write_text(MINE.replace('based_on = "generic"', ""))
    curves = astromer.read(tmp_path, quiet=True)
    assert (curves.ids.tolist(), curves.mjd.tolist()) == (["star"], [52000])


@pytest.mark.parametrize(
    ("system", "days"),
    [
        ("MJD", 0),
        ("JD", -2400000.5),
        ("HJD - 2450000", 49999.5),
        ("BTJD", 56999.5),
        ("BKJD", 54832.5),
        ("Gaia", 55197),
        ("MJD - 50000", 50000),
    ],
)
def test_time_systems(system, days):
    assert days_to_mjd(system) == days


def test_names_match_whatever_their_case_and_punctuation():
    assert first_of(["Flux Error", "MAG"], ["flux_error"]) == "Flux Error"
    assert first_of(["flux (mJy)"], ["flux_mjy"]) == "flux (mJy)"
    assert first_of(["chi/N"], ["chi_n"]) == "chi/N"


def test_the_profile_that_names_most_columns_is_taken():
    names = ["oid", "hjd", "mjd", "mag", "magerr", "catflags", "filtercode"]
    assert recognise(names).profile.name == "ztf"
    assert recognise(names[:5]).profile.name == "generic"
    spoc = ["TIME", "SAP_FLUX", "PDCSAP_FLUX", "QUALITY"]
    assert recognise(spoc).profile.name == "tess"
    assert recognise([*spoc[:3], "SAP_QUALITY"]).profile.name == "kepler"
    assert recognise([*spoc, "KSPSAP_FLUX"]).profile.name == "qlp"
    assert recognise((), ["OGLE-LMC-CEP-0001.dat"]).profile.name == "ogle"
    assert "catflags" in recognise(names).why


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[time]", "[time", "a profile in TOML"),
        ("[time]", "[tmie]", "keys of a profile .* Received: tmie"),
        ('columns = ["tmid"]', 'colums = ["tmid"]', r"\[time\] .* must have columns.* colums"),
        ('columns = ["tmid"]', "columns = 3", r"\[time\] columns .* a text or a list"),
        ("HJD - 2450000", "UTC", "must name the system.*'UTC'"),
        ('magnitude = ["vmag"]', "", "must have a magnitude or a flux"),
        ("[[quality]]", "[quality]", r"must be written as \[\[quality\]\]"),
        ('based_on = "generic"', 'based_on = "sdss"', "one of aavso, .*'sdss'"),
        ("[sentinels]", '[id]\nfile = "(a)(b)"\n[sentinels]', "must have one group"),
    ],
)
def test_mistakes_are_usage_errors(tmp_path, old, new, expected):
    with pytest.raises(UsageError, match=expected) as caught:
        load_profile(write(tmp_path, MINE.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_an_unknown_survey_is_refused_with_those_that_are_known():
    with pytest.raises(UsageError, match=r"auto, a TOML file, or one of .*ztf, generic"):
        named_profile("sdss")
    assert list(shipped())[-1] == "generic"
