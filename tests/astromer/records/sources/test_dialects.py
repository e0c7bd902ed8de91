"""One table in every format and dialect gives the same light curves."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import astromer
from astromer.records.sources.tables import open_table
from astromer.system.errors import (
    AstromerError,
    DataAnomalyError,
    DataNotFoundError,
    RecordError,
)

ROWS = [
    ("007", "V", 58000.25, 15.5, 0.125),
    ("007", "g", 58000.75, 15.25, 0.0625),
    ("1e5", "V", 58001.5, 14.0, 0.25),
    ("true", "V", 58002.5, 14.5, 0.25),
]
HEAD = ("id", "band", "mjd", "mag", "magerr")


def text(delimiter: str = ",", rows=ROWS, head=HEAD) -> str:
    lines = [head, *rows] if head else rows
    return "".join(delimiter.join(map(str, row)) + "\n" for row in lines)


def zipped(content: bytes, *names: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return sink.getvalue()


def comma(delimiter: str) -> str:
    return text(delimiter).replace(".", ",")


VIZIER = (
    "#RESOURCE=yCat\n#Name: J/AJ/1\n#Column\tmjd\t(F9.3)\tTime\n\n"
    + "\t".join(HEAD)
    + "\n \t \td\tmag\tmag\n---\t----\t---------\t------\t------\n"
    + text("\t", head=None)
)
DIALECTS = {
    "utf-16": ("t.csv", text().encode("utf-16")),
    "utf-16, big-endian": ("t.csv", b"\xfe\xff" + text().encode("utf-16-be")),
    "byte order mark": ("t.csv", text().encode("utf-8-sig")),
    "latin-1": ("t.csv", ("# Observatorio de Córdoba\n" + text()).encode("latin-1")),
    "latin-1 in a cell": (
        "t.csv",
        text(rows=[(*row, "Córdoba") for row in ROWS], head=(*HEAD, "site")).encode("latin-1"),
    ),
    "CR": ("t.csv", text().replace("\n", "\r").encode()),
    "CRLF": ("t.csv", text().replace("\n", "\r\n").encode()),
    "semicolons": ("t.csv", text(";").encode()),
    "decimal commas": ("t.csv", comma(";").encode()),
    "decimal commas and tabs": ("t.txt", comma("\t").encode()),
    "decimal commas and blanks": ("t.dat", comma("  ").encode()),
    "bars": ("t.txt", text(" | ").encode()),
    "zip": ("t.csv.zip", zipped(text().encode(), "t.csv")),
    "zip of a Mac": ("t.zip", zipped(text().encode(), "t.csv", "__MACOSX/._t.csv")),
    "a long comment": ("t.csv", b"# history\n" * 20_000 + text().encode()),
    "quoted": (
        "t.csv",
        text(rows=[(*row, '"clear, ""moon"" up"') for row in ROWS], head=(*HEAD, "note")).encode(),
    ),
    "a quoted cell of two lines": (
        "t.csv",
        text(rows=[(*row, '"clear,\nmoon up"') for row in ROWS], head=(*HEAD, "note")).encode(),
    ),
    "signs": ("t.csv", text(rows=[(*row[:2], f"+{row[2]}", *row[3:]) for row in ROWS]).encode()),
    "Fortran's double precision": (
        "t.dat",
        text(
            "  ", rows=[(*r[:2], f"{r[2] / 1e5:.7f}D+05", f"{r[3]}d0", r[4]) for r in ROWS]
        ).encode(),
    ),
    "a row of units": ("t.csv", text(rows=[("", "", "d", "mag", "mag"), *ROWS]).encode()),
    "a row of units in brackets": (
        "t.csv",
        text(rows=[("---", "", "(d)", "(mag)", "(mag)"), *ROWS]).encode(),
    ),
    "VizieR": ("t.tsv", VIZIER.encode()),
    "a band of an unusual name": (
        "t.csv",
        text(head=("id", "colour", *HEAD[2:])).encode(),
    ),
}


def check(path: Path) -> None:
    curves = astromer.read(path, quiet=True)
    found = {(curves[i].id, curves[i].band): curves[i] for i in range(len(curves))}
    assert sorted(found) == sorted({(row[0], row[1]) for row in ROWS})
    for name, band, *values in ROWS:
        one = found[name, band]
        assert [one.mjd[0], one.mag[0], one.errmag[0]] == values


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_of_text(tmp_path, dialect):
    name, content = DIALECTS[dialect]
    (tmp_path / name).write_bytes(content)
    check(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("t.vot", "votable"), ("t.ecsv", "ascii.ecsv"), ("t.tbl", "ascii.ipac")),
        *(("t.fits", "fits"), ("t.txt", "ascii.mrt")),
    ],
)
def test_every_format_of_astropy(tmp_path, name, kind):
    table = pytest.importorskip("astropy.table").Table
    columns = {n: list(values) for n, values in zip(HEAD, zip(*ROWS))}
    table(columns).write(tmp_path / name, format=kind)
    check(tmp_path / name)


@pytest.mark.parametrize("layout", ["lists", "structure of lists", "list of structures"])
def test_a_light_curve_in_each_row_of_parquet(tmp_path, layout):
    names = list(dict.fromkeys((row[0], row[1]) for row in ROWS))
    series = [[row[2:] for row in ROWS if row[:2] == own] for own in names]
    table = {"id": [own[0] for own in names], "band": [own[1] for own in names]}
    lists = {n: [[row[i] for row in own] for own in series] for i, n in enumerate(HEAD[2:])}
    if layout == "lists":
        table |= lists
    elif layout == "structure of lists":
        table["lc"] = [dict(zip(lists, values)) for values in zip(*lists.values())]
    else:
        table["lc"] = [[dict(zip(HEAD[2:], row)) for row in own] for own in series]
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    check(tmp_path / "t.parquet")


def test_scaled_columns_and_nulls_of_fits(tmp_path):
    fits = pytest.importorskip("astropy.io.fits")
    columns = [
        fits.Column("id", "4A", array=np.array(["a", "a", "b"])),
        fits.Column("TIME", "D", array=np.array([86400.0, 172800.0, 0.0])),
        fits.Column("mag", "I", null=-99, array=np.array([5000, 2000, -99], np.int16)),
        fits.Column("err", "E", array=np.array([0.1, 0.1, 0.1])),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(MJDREFI=58000, MJDREFF=0.25, TIMEUNIT="s")
    path = tmp_path / "t.fits"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    for keyword, value in (("TSCAL3", 0.001), ("TZERO3", 10.0)):
        fits.setval(path, keyword, value=value, ext=1)
    curves = astromer.read(path, quiet=True)
    assert curves.ids.tolist() == ["a", "b"]
    assert curves.mjd.tolist() == [58001.25, 58002.25, 58000.25]
    np.testing.assert_allclose(curves.mag, [15, 12, np.nan], rtol=1e-6)


REFUSED = {
    "several files in a zip": (
        "t.zip",
        zipped(text().encode(), "a.csv", "b.csv"),
        RecordError,
        r"hold one table\. Received: 2 files\. Unpack it into a folder",
    ),
    "a spreadsheet": ("t.xlsx", b"PK\3\4", DataNotFoundError, r"no known kind.*Export it as CSV"),
    "a VOTable elsewhere": (
        "t.vot",
        b'<VOTABLE><STREAM href="file:///etc/passwd"/></VOTABLE>',
        RecordError,
        "must hold its data itself",
    ),
    "ids that lost digits": ("t.parquet", None, DataAnomalyError, "digits, some of which are lost"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read_is_refused_with_the_way_out(tmp_path, case):
    name, content, kind, expected = REFUSED[case]
    path = tmp_path / name
    if content is None:
        table = {"id": [5.937083312263888e18], "mjd": [1.0], "mag": [1.0], "err": [0.1]}
        pq.write_table(pa.table(table), path)
    else:
        path.write_bytes(content)
    with pytest.raises(kind, match=expected) as caught:
        astromer.read(path, quiet=True)
    assert isinstance(caught.value, AstromerError)
    assert "\n" not in str(caught.value)


WARNED = {
    "before 1980": ("id,time,mag,err\na,1696.5,12,0.1\n", "before 1980.*--time-offset 56999.5"),
    "in the future": ("id,mjd,mag,err\na,99000,12,0.1\n", "times in mjd are in the future"),
    "a flux": ("# mag: flux in mJy\nid,mjd,mag,err\na,58000,12,0.1\n", "mag is taken for a magn"),
    "constant errors": ("id,mjd,mag,err\na,58000,12,1\na,58001,12,1\n", "errors in err are all 1"),
    "ids of rows": ("id,mjd,mag,err\n1,58000,12,.1\n2,58001,12,.2\n", "the number of a row"),
    "no errors": ("id,mjd,mag,flag\na,58000,12,1\n", "the columns are id, mjd, mag, flag"),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_probably_wrong_is_said(tmp_path, case, capsys):
    content, expected = WARNED[case]
    (tmp_path / "t.csv").write_text(content)
    astromer.read(tmp_path / "t.csv")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert len(said) == 1
    assert re.search(expected, said[0])


def test_columns_that_are_not_used_are_named(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("id,mjd,mag,err,bad_flag,err2_sigma\na,58000,12,0.1,0,1\n")
    astromer.read(tmp_path / "t.csv")
    out = capsys.readouterr().out
    assert "bad_flag (like flags)" in out
    assert "err2_sigma (like errors)" in out


def test_the_line_of_a_bad_cell_is_right_whatever_is_quoted(tmp_path):
    lines = ['58000.5,15,0.1,"a, b"', '58001.5,15,0.1,"two', 'lines, x"', "58002.5,bad,0.1,x"]
    text = "id,mjd,mag,err,note\na," + "\na,".join(lines).replace("a,lines", "lines") + "\n"
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(RecordError, match=r"line 5: mag must be a number, got 'bad'"):
        astromer.read(tmp_path / "t.csv", quiet=True)


def test_a_row_of_words_in_a_table_of_stars_is_no_row_of_units(tmp_path):
    table = tmp_path / "metadata.csv"
    table.write_text("id,class,ra,dec\nstar-a,RRab,,\nstar-b,EW,1.5,2.5\n")
    assert open_table(table).read(["id"]).column("id").to_pylist() == ["star-a", "star-b"]


def test_fluxes_in_a_unit_are_not_called_relative(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("id,mjd,flux (mJy),flux err\n" + "7,58000.5,1.0,0.1\n7,58001.5,1.1,0.1\n")
    assert astromer.read(table).mag[0] == pytest.approx(16.4, abs=1e-3)
    assert "relative" not in capsys.readouterr().out
