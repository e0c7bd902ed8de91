from __future__ import annotations

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from astromer.records.division import star_key, star_name
from astromer.records.sources.metadata import load_metadata
from astromer.records.survey_config import default_config


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
