"""The files of ../shared/cases give what its README calls right."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import astromer
from astromer.commands.create_records import main
from astromer.system.errors import RecordError

PER_RATIO = 2.5 / math.log(10)


@pytest.fixture
def cases(shared) -> Path:
    return shared / "cases"


def rows_of(path: Path, delimiter: str = ",") -> list[list[str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def check(path: Path, wanted: dict, survey: str, **options) -> None:
    """With and without the survey's name: (id, band) -> rows of mjd, mag and errmag."""
    for name in ("auto", survey):
        curves = astromer.read(path, survey=name, quiet=True, **options)
        found = {(curves[i].id, curves[i].band): curves[i] for i in range(len(curves))}
        assert sorted(found) == sorted(wanted)
        for key, rows in wanted.items():
            one, expected = found[key], np.array(rows, np.float64)
            usable = np.isfinite(one.mag)
            np.testing.assert_allclose(one.mjd[usable], expected[:, 0], rtol=0, atol=1e-9)
            np.testing.assert_allclose(one.mag[usable], expected[:, 1], rtol=0, atol=2e-6)
            np.testing.assert_allclose(one.errmag[usable], expected[:, 2], rtol=2e-6)


def test_ztf(cases):
    wanted = defaultdict(list)
    for row in rows_of(cases / "ztf" / "ztf_irsa.csv")[1:]:
        if row[6] == "0":
            wanted[row[0], row[7]].append([float(row[i]) for i in (3, 4, 5)])
    assert sum(map(len, wanted.values())) == 600
    check(cases / "ztf", wanted, "ztf")


def test_ztf_lists(cases):
    import pyarrow.parquet as pq

    wanted = {
        (str(row["objectid"]), {1: "zg", 2: "zr", 3: "zi"}[row["filterid"]]): [
            [m, v, e]
            for m, v, e, flag in zip(row["hmjd"], row["mag"], row["magerr"], row["catflags"])
            if flag == 0
        ]
        for row in pq.read_table(cases / "ztf_lists" / "ztf_lists.parquet").to_pylist()
    }
    check(cases / "ztf_lists" / "ztf_lists.parquet", wanted, "ztf")


def test_asassn(cases):
    wanted = defaultdict(list)
    for path in (cases / "asassn_v2").iterdir():
        for row in rows_of(path)[1:]:
            if row[10] == "G" and float(row[5]) < 99:
                mjd = float(row[1]) - 2400000.5
                wanted[row[0], row[11]].append([mjd, float(row[4]), float(row[5])])
    assert len(wanted) == 24
    check(cases / "asassn_v2", wanted, "asassn")
    wanted = defaultdict(list)
    for path in (cases / "asassn_v2_web").iterdir():
        for row in rows_of(path)[1:]:
            mjd = float(row[0]) - 2400000.5
            wanted[path.stem, row[7]].append([mjd, float(row[3]), float(row[4])])
    check(cases / "asassn_v2_web", wanted, "asassn")


def test_atlas(cases):
    wanted = defaultdict(list)
    for path in (cases / "atlas").iterdir():
        for line in path.read_text().splitlines()[1:]:
            mjd, m, dm, flux, _, band, err = line.split()[:7]
            if float(flux) > 0 and err == "0":
                wanted[path.stem, band].append([float(mjd), float(m), float(dm)])
    assert len(wanted) == 24
    check(cases / "atlas", wanted, "atlas")


def test_aavso(cases):
    wanted = defaultdict(list)
    for path in (cases / "aavso").iterdir():
        for row in rows_of(path)[1:]:
            if not row[1].startswith("<"):
                mjd = float(row[0]) - 2400000.5
                wanted[path.stem, row[4]].append([mjd, float(row[1]), float(row[2])])
    assert sum(map(len, wanted.values())) == 12 * 30 - 48
    check(cases / "aavso", wanted, "aavso")


def test_gaia(cases):
    wanted = defaultdict(list)
    for path in (cases / "gaia").iterdir():
        for row in rows_of(path)[1:]:
            if row[8] == "false" and row[4] != "null":
                flux, error = float(row[5]), float(row[6])
                mjd = float(row[3]) + 2455197.5 - 2400000.5
                wanted[row[0], row[2]].append([mjd, float(row[4]), PER_RATIO * error / flux])
    assert min(row[0] for rows in wanted.values() for row in rows) > 56_800
    check(cases / "gaia", wanted, "gaia")


def test_ogle(cases):
    wanted = {}
    for path in (cases / "ogle" / "phot").rglob("*.dat"):
        rows = [[float(cell) for cell in line.split()] for line in path.read_text().splitlines()]
        wanted[path.stem, path.parent.name] = [[t - 2400000.5, m, e] for t, m, e in rows]
    assert len(wanted) == 24
    check(cases / "ogle", wanted, "ogle")


def test_asas(cases):
    wanted = {}
    for path in (cases / "asas").iterdir():
        cells = [line.split() for line in path.read_text().splitlines() if line[0] != "#"]
        # HJD, MAG_4 MAG_0 MAG_1 MAG_2 MAG_3, MER_4 MER_0 MER_1 MER_2 MER_3, GRADE, FRAME
        wanted[path.stem, "V"] = [
            [float(c[0]) + 49999.5, float(c[4]), float(c[9])] for c in cells if c[11] != "D"
        ]
    check(cases / "asas", wanted, "asas")


@pytest.mark.parametrize("options", [{}, {"flux": True, "zero_point": 20.44}])
def test_tess_as_csv(cases, options):
    wanted = {}
    for path in (cases / "btjd_csv").iterdir():
        rows = [[float(cell) for cell in row] for row in rows_of(path)[1:]]
        wanted[path.stem, "TESS"] = [
            [t + 56999.5, 20.44 - 2.5 * math.log10(f), PER_RATIO * e / f] for t, f, e in rows
        ]
    check(cases / "btjd_csv", wanted, "tess", **options)


@pytest.mark.parametrize(
    ("zero_point", "options"), [(11.0, {}), (20.44, {"flux": True, "zero_point": 20.44})]
)
def test_qlp(cases, zero_point, options):
    fits = pytest.importorskip("astropy.io.fits")
    wanted = {}
    for path in (cases / "qlp").iterdir():
        with fits.open(path) as file:
            wanted[file[0].header["OBJECT"], "TESS"] = [
                [
                    float(row["TIME"]) + 56999.5,
                    zero_point - 2.5 * math.log10(row["SAP_FLUX"]),
                    PER_RATIO * row["KSPSAP_FLUX_ERR"] / row["SAP_FLUX"],
                ]
                for row in file[1].data
                if row["QUALITY"] == 0
            ]
    check(cases / "qlp", wanted, "qlp", **options)


def test_magnitudes_beside_fluxes(cases):
    magnitudes, fluxes = {}, {}
    for path in (cases / "mag_and_flux").iterdir():
        rows = [[float(cell) for cell in row] for row in rows_of(path)[1:]]
        magnitudes[path.stem, ""] = [row[:3] for row in rows]
        fluxes[path.stem, ""] = [
            [t, 16.4 - 2.5 * math.log10(f), PER_RATIO * e / f] for t, _, _, f, e in rows
        ]
    check(cases / "mag_and_flux", magnitudes, "generic")
    check(cases / "mag_and_flux", fluxes, "generic", flux=True, zero_point=16.4)


def test_the_bad_line_is_named(cases, tmp_path):
    data = cases / "quoted_comma_then_bad"
    with pytest.raises(RecordError, match=r"s0\.csv, line 9: mag must be a number"):
        main(["--data", str(data), "--output", str(tmp_path / "out")])


@pytest.mark.parametrize(
    "name",
    [
        *("bools.csv", "gaia_and_empty.csv", "plain.csv.gz", "sci.csv", "semicolon.csv"),
        *("uint64.csv", "upper.CSV", "upper_columns.csv", "zeros.csv"),
    ],
)
def test_ids_of_tables_are_as_written(cases, name):
    path = cases / "tables" / name
    wanted = defaultdict(list)
    for row in rows_of(path, ";" if name == "semicolon.csv" else ",")[1:]:
        if row[0]:
            wanted[row[0], ""].append([float(cell) for cell in row[1:]])
    check(path, wanted, "generic")
