"""Files in shapes of surveys that have no profile: names of columns, units, headers, folders."""

from __future__ import annotations

import bz2
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import astromer
from astromer.commands.create_records import main
from astromer.system.errors import AstromerError, RecordError

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


UNITS = {
    "in brackets": "ID,MJD [d],Mag [mag],Mag err [mag]\n;a,{t},{m},{e}",
    "in round brackets": "ID,Time (MJD),Mag(AB),e_Mag(mag)\n;a,{t},{m},{e}",
    "thousandths": "ID,mjd,mag,err [mmag]\n;a,{t},{m},{e}e3",
    "thousandths of both": "ID,mjd,mag (mmag),err (mmag)\n;a,{t},{m}e3,{e}e3",
}


@pytest.mark.parametrize("case", UNITS)
def test_units_behind_names(tmp_path, capsys, case):
    (tmp_path / "t.csv").write_text(table(*UNITS[case].split(";")))
    curves, said = read(tmp_path / "t.csv", capsys)
    check(curves)
    assert ("times 0.001" in said) == ("thousandths" in case)
    assert "warning" not in said


def test_fluxes_and_their_errors_with_units_behind_names(tmp_path, capsys):
    head, row = "id,mjd,flux [mJy],flux_err [{}]\n", "a,{t},1.0,{e}"
    (tmp_path / "t.csv").write_text(table(head.format("mJy"), row))
    assert read(tmp_path / "t.csv", capsys)[0].errmag[0] == pytest.approx(0.0217, abs=1e-4)
    (tmp_path / "s.csv").write_text(table("id,mjd,flux_mjy,e_flux_mjy\n", row))
    assert read(tmp_path / "s.csv", capsys)[0].errmag[0] == pytest.approx(0.0217, abs=1e-4)
    (tmp_path / "u.csv").write_text(table(head.format("uJy"), row))
    assert "no column was taken for errors" in read(tmp_path / "u.csv", capsys)[1]


@pytest.mark.parametrize(("name", "kind"), [("t.fits", "fits"), ("t.vot", "votable")])
def test_units_of_columns(tmp_path, capsys, name, kind):
    make = pytest.importorskip("astropy.table").Table
    times, mags, _ = zip(*ROWS, strict=True)
    magnitudes = make({"id": ["a", "a"], "mjd": times, "mag": mags, "err": [20.0, 30.0]})
    magnitudes["err"].unit = "mmag"
    magnitudes.write(tmp_path / name, format=kind)
    check(read(tmp_path / name, capsys)[0])
    fluxes = make({"id": ["a"], "mjd": [58000.25], "flux": [1.0], "flux_err": [20.0]})
    fluxes["flux"].unit, fluxes["flux_err"].unit = "mJy", "uJy"
    fluxes.write(tmp_path / f"flux-{name}", format=kind)
    curves, said = read(tmp_path / f"flux-{name}", capsys)
    assert (curves.mag[0], curves.errmag[0]) == pytest.approx((16.4, 0.0217), abs=1e-4)
    assert "flux_err, times 0.001" in said
    (tmp_path / "stated").mkdir()
    fluxes.write(tmp_path / "stated" / name, format=kind)
    series = '[sequential_features]\nvalue = ["mjd", "flux", "flux_err"]\n'
    calibration = f'path = "{name}"\nkind = "flux"\nzero_point = 16.4\n'
    (tmp_path / "stated" / "config.toml").write_text(series + calibration)
    curves = read(tmp_path / "stated", capsys)[0]
    assert (curves.mag[0], curves.errmag[0]) == pytest.approx((16.4, 0.0217), abs=1e-4)
    seconds = make({"id": ["a"], "time": [58000.25], "mag": [15.5], "err": [0.02]})
    seconds["time"].unit = "s"
    seconds.write(tmp_path / f"s-{name}", format=kind)
    assert "time is taken for days, but its unit is s" in read(tmp_path / f"s-{name}", capsys)[1]


def test_a_julian_date_without_its_first_digits_is_told(tmp_path, capsys):
    (tmp_path / "t.csv").write_text(table("id,hjd,mag,err\n", "a,{t},{m},{e}"))
    assert (
        "taken for MJD; --time-offset -0.5 if JD - 2400000" in read(tmp_path / "t.csv", capsys)[1]
    )


def test_files_of_the_bands_of_a_star(tmp_path, capsys):
    for name in ("s1_g", "s1_r", "s2_g"):
        (tmp_path / f"{name}.csv").write_text(table("mjd,mag,err\n", "{t},{m},{e}"))
    curves, said = read(tmp_path, capsys)
    assert list(zip(curves.ids, curves.bands)) == [("s1", "g"), ("s1", "r"), ("s2", "g")]
    assert "g, r (its files)" in said
    (tmp_path / "metadata.csv").write_text("ID,Class\ns1_g,A\ns1_r,A\ns2_g,B\n")
    assert list(read(tmp_path, capsys)[0].ids) == ["s1_g", "s1_r", "s2_g"]


def test_stars_that_are_called_after_bands_stay_whole(tmp_path, capsys):
    for name in ("field_R", "field2_I"):
        (tmp_path / f"{name}.csv").write_text(table("mjd,mag,err\n", "{t},{m},{e}"))
    assert sorted(read(tmp_path, capsys)[0].ids) == ["field2_I", "field_R"]


def test_a_hats_catalogue(tmp_path, capsys):
    inner = tmp_path / "dataset" / "Norder=1" / "Dir=0"
    (inner / "Npix=4").mkdir(parents=True)
    columns = {name: [[row[i] for row in ROWS]] for i, name in enumerate(("mjd", "mag", "err"))}
    pq.write_table(pa.table({"id": [7], **columns}), inner / "Npix=3.parquet")
    pq.write_table(pa.table({"id": [8], **columns}), inner / "Npix=4" / "part0.parquet")
    (tmp_path / "partition_info.csv").write_text("Norder,Npix\n1,3\n1,4\n")
    (tmp_path / "skymap.fits").write_bytes(b"SIMPLE")
    for data in (tmp_path, tmp_path / "dataset"):
        curves = read(data, capsys)[0]
        assert list(curves.ids) == ["7", "8"]
        assert len(curves.mjd) == 2 * len(ROWS)


REFUSED = {
    "a folder for each star": ("a/s1/lc.csv", r"1 folder\(s\), for instance s1: give one of them"),
    "no suffix": (
        "a/star1",
        r"1 file\(s\) without a suffix, for instance star1: Add .txt, .fits or",
    ),
    "bzip2": ("a/s.csv.bz2", r"1 file\(s\) in .bz2, for instance s.csv.bz2: Unpack them first"),
    "an archive": ("a.tar.gz", r"file of no known kind.*\. Unpack it first\.$"),
    "something else": ("a/s.txt", r"lacks the column\(s\) mjd, mag.*take it out of the folder"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_there_is_told(tmp_path, case):
    name, expected = REFUSED[case]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("These are my stars\n")
    with pytest.raises(AstromerError, match=expected) as caught:
        astromer.read(tmp_path / Path(name).parts[0], quiet=True)
    assert "\n" not in str(caught.value)


def test_texts_with_blanks_between_blanks(tmp_path, capsys):
    """As astropy writes them (format="ascii")."""
    rows = [f'"V* RR  Lyr"   {t}\t{m} {e} "5\' 12"' for t, m, e in ROWS]
    (tmp_path / "t.txt").write_text("id mjd mag err dec\n" + "\n".join(rows) + "\n")
    curves = read(tmp_path / "t.txt", capsys)[0]
    check(curves)
    assert list(curves.ids) == ["V* RR  Lyr"]


def test_a_second_of_arc_is_no_quotation_mark(tmp_path, capsys):
    (tmp_path / "t.txt").write_text(table("id seeing mjd mag err\n", 'a 1.5" {t} {m} {e}'))
    check(read(tmp_path / "t.txt", capsys)[0])


@pytest.mark.parametrize("cell", ["...", "<NA>", r"\N", "#N/A"])
def test_what_other_programs_write_for_no_value(tmp_path, capsys, cell):
    text = table("id,mjd,mag,err\n", "a,{t},{m},{e}") + f"a,58002.25,15.5,{cell}\n"
    (tmp_path / "t.csv").write_text(text)
    assert np.isnan(read(tmp_path / "t.csv", capsys)[0].errmag).tolist() == [False, False, True]


LINES = {
    "a second header": ("id,mjd,mag,err", "line 4 must have numbers.*once more. Remove the line"),
    "a date": ("a,2019-01-30T12:00:00,15.5,0.1", "line 4: mjd must be a number.*Write dates"),
    "a text": ("a,b,58000,15.5,0.1", "line 4 has 5 cell.*in quotation marks"),
    "an end": ("a,58000", "line 4 has 2 cell.*Is it cut off"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_cannot_be_read_is_refused_with_the_way_out(tmp_path, case):
    line, expected = LINES[case]
    (tmp_path / "t.csv").write_text(table("id,mjd,mag,err\n", "a,{t},{m},{e}") + line + "\n")
    with pytest.raises(RecordError, match=expected):
        astromer.read(tmp_path / "t.csv", quiet=True)


def test_an_archive_that_is_called_a_table_is_told(tmp_path):
    (tmp_path / "t.csv").write_bytes(bz2.compress(b"id,mjd,mag,err\na,58000,15,0.1\n"))
    with pytest.raises(RecordError, match="another archive. Unpack it first"):
        astromer.read(tmp_path / "t.csv", quiet=True)


def test_a_julian_date_less_2450000_is_known_by_its_values(tmp_path, capsys):
    late, early = [(8500.75, 15.5, 0.02)], [(1500.75, 15.5, 0.02)]
    (tmp_path / "t.csv").write_text(table("id,HJD,mag,err\n", "a,{t},{m},{e}", late))
    curves, said = read(tmp_path / "t.csv", capsys)
    check(curves, [(58500.25, 15.5, 0.02)])
    assert "HJD (JD - 2450000, by its values)" in said
    (tmp_path / "u.csv").write_text(table("id,BJD,mag,err\n", "a,{t},{m},{e}", early))
    assert "before 1980" in read(tmp_path / "u.csv", capsys)[1]


def test_the_class_the_metadata_and_what_is_not_used_are_told(tmp_path, capsys):
    head, row = "name,mjd,mag,err,type,period,upper_limit,ppErrBits\n", "a,{t},{m},{e},RRab,0.5,0,0"
    (tmp_path / "t.csv").write_text(table(head, row))
    said = read(tmp_path / "t.csv", capsys)[1]
    assert "class        type" in said
    assert "period (like known periods)" in said
    assert "upper_limit, ppErrBits (like flags)" in said
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a.csv").write_text(table("mjd,mag,err\n", "{t},{m},{e}"))
    (tmp_path / "s" / "metadata.csv").write_text("KIC,VarType\na,EA\n")
    said = read(tmp_path / "s", capsys)[1]
    assert "metadata     metadata.csv, joined by KIC, classes from VarType" in said


def test_times_that_are_no_days_are_told(tmp_path, capsys):
    (tmp_path / "t.csv").write_text(table("id,time,mag,err\n", "a,{t}e4,{m},{e}"))
    assert "time is no MJD: it goes to 580012500. Is it sec" in read(tmp_path / "t.csv", capsys)[1]


def test_a_comment_of_other_names_is_told_or_refused(tmp_path, capsys):
    (tmp_path / "s.dat").write_text(table("# HJD Vmag error\n", "{t} {m} {e}"))
    said = read(tmp_path, capsys)[1]
    assert "columns 1, 2, 3 of 3 (--columns); the comment above them is '# HJD Vmag error'" in said
    (tmp_path / "s.dat").write_text(table("# Vmag HJD error\n", "{m} {t} {e}"))
    with pytest.raises(AstromerError, match=r"lacks the column\(s\) mag; it has Vmag, HJD, error"):
        astromer.read(tmp_path, quiet=True)


def test_times_in_single_precision_are_told(tmp_path, capsys):
    columns = {"id": ["a", "a"], "mag": [15.5, 15.75], "err": [0.02, 0.03]}
    mjd = np.array([58000.25, 58001.25], np.float32)
    pq.write_table(pa.table({**columns, "mjd": mjd}), tmp_path / "m.parquet")
    pq.write_table(pa.table({**columns, "btjd": mjd - 56999}), tmp_path / "b.parquet")
    said = read(tmp_path / "m.parquet", capsys)[1]
    assert "mjd is in single precision, so that times are multiples of 5.6 minutes" in said
    assert "single" not in read(tmp_path / "b.parquet", capsys)[1]
    fits = pytest.importorskip("astropy.table").Table({**columns, "jd": mjd + np.float32(2400000)})
    for name, kind in (("t.fits", "fits"), ("t.vot", "votable")):
        fits.write(tmp_path / name, format=kind)
        assert "multiples of 360.0 minutes" in read(tmp_path / name, capsys)[1]


def test_observations_without_a_band_are_told(tmp_path, capsys):
    text = table("id,mjd,mag,err,filter\n", "a,{t},{m},{e},g") + "a,58002.25,15.5,0.1,\n"
    (tmp_path / "t.csv").write_text(text)
    assert "bands        g, none (filter)" in read(tmp_path / "t.csv", capsys)[1]


def test_a_time_may_say_in_brackets_what_was_subtracted(tmp_path, capsys):
    rows = [(1001.25, 15.5, 0.02)]
    (tmp_path / "t.csv").write_text(table("id,Time (BJD-2457000),mag,err\n", "a,{t},{m},{e}", rows))
    check(read(tmp_path / "t.csv", capsys)[0], [(58000.75, 15.5, 0.02)])


@pytest.mark.parametrize(
    ("head", "options", "lacking"),
    [
        ("id,phase,mag,err", {}, "mjd"),
        ("id,mjd,vmag,err", {}, "mag"),
        ("id,mjd,mag,err", {"flux": True, "zero_point": 25.0}, "flux"),
    ],
)
def test_what_is_lacking_is_named_and_nothing_else(tmp_path, head, options, lacking):
    (tmp_path / "t.csv").write_text(table(f"{head}\n", "a,{t},{m},{e}"))
    with pytest.raises(AstromerError, match=rf"lacks the column\(s\) {lacking}; it has {head[:2]}"):
        astromer.read(tmp_path / "t.csv", quiet=True, **options)


def test_files_that_all_have_one_id_are_told(tmp_path, capsys):
    for number in (1, 2):
        rows = [(58000.25 + number, 15.5, 0.02)]
        text = table("id,mjd,mag,err\n", "1,{t},{m},{e}", rows)
        (tmp_path / f"star{number}.csv").write_text(text)
    curves, said = read(tmp_path, capsys)
    assert len(curves) == 1
    assert "warning: all 2 files have one and the same id" in said


def test_a_file_without_rows_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("id,mjd,mag,err\n")
    with pytest.raises(AstromerError, match=r"must hold observations\. Received: columns without"):
        main(["--data", str(tmp_path / "t.csv"), "--output", str(tmp_path / "fold")])
