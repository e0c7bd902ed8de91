from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from astromer.records.star import star_key, star_name


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
