"""Files in shapes of surveys that have no profile: names of columns, units, headers, folders."""

from __future__ import annotations

from pathlib import Path

import pytest

import astromer

ROWS = ((58000.25, 15.5, 0.02), (58001.25, 15.75, 0.03))


def table(head: str, row: str, rows=ROWS) -> str:
    """Text with a line for each row; {t}, {m} and {e} stand for its numbers."""
    return head + "".join(row.format(t=t, m=m, e=e) + "\n" for t, m, e in rows)


def read(data: Path, capsys) -> tuple[astromer.LightCurves, str]:
    """The light curves, and what was said."""
    return astromer.read(data), capsys.readouterr().out


def check(curves: astromer.LightCurves, rows=ROWS) -> None:
    found = zip(curves.mjd, curves.mag, curves.errmag, strict=True)
    for one, expected in zip(found, rows, strict=True):
        assert one == pytest.approx(expected, abs=1e-6)


NAMES = {
    "a date beside an MJD": "id,date,mjd_obs,mag,err\n;a,20170904,{t},{m},{e}",
    "an exposure time beside an MJD": "id,t,obsmjd,mag,err\n;a,30.5,{t},{m},{e}",
    "a time of day beside an MJD": "id,time,MJD-OBS,mag,err\n;a,12:00:00,{t},{m},{e}",
    "a flag beside an error": "id,mjd,mag,err,magerr\n;a,{t},{m},0,{e}",
}


@pytest.mark.parametrize("case", NAMES)
def test_the_name_that_says_most_is_taken(tmp_path, capsys, case):
    (tmp_path / "t.csv").write_text(table(*NAMES[case].split(";")))
    check(read(tmp_path / "t.csv", capsys)[0])


@pytest.mark.parametrize("below", ["#-----------", "#  [mag] [mag] [d]", "# Vega\n#"])
def test_a_header_in_a_comment_may_have_lines_below(tmp_path, capsys, below):
    (tmp_path / "star.dat").write_text(table(f"# a star\n# mag err hjd\n{below}\n", "{m} {e} {t}"))
    curves, said = read(tmp_path, capsys)
    check(curves)
    assert "no header" not in said


def test_columns_that_are_known_by_their_order_are_told(tmp_path, capsys):
    (tmp_path / "star.dat").write_text(table("", "{t} {m} {e} 1.5 0"))
    curves, said = read(tmp_path, capsys)
    check(curves)
    assert "no header: mjd, mag, errmag are columns 1, 2, 3 of 5 (--columns)" in said
