from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from astromer.commands.create_records import main
from astromer.records.sources import fits as fits_structure
from astromer.records.sources.fits import check_structure, open_fits
from astromer.system.environment import MissingExtraError
from astromer.system.errors import DataAnomalyError, RecordError

fits = pytest.importorskip("astropy.io.fits")


def write_kepler(path, mjd, flux, error, star: int, quality=None):
    """As Kepler and TESS write them: BJD - BJDREFI, two fluxes, quality flags."""
    columns = [
        fits.Column("TIME", "D", unit="BJD - 2457000", array=mjd + 2400000.5 - 2457000),
        fits.Column("SAP_FLUX", "E", array=flux * 0.5),
        fits.Column("SAP_FLUX_ERR", "E", array=error * 0.5),
        fits.Column("PDCSAP_FLUX", "E", array=flux),
        fits.Column("PDCSAP_FLUX_ERR", "E", array=error),
        fits.Column("QUALITY", "J", array=np.zeros(len(mjd)) if quality is None else quality),
    ]
    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = f"TIC {star}"
    table = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
    table.header["BJDREFI"], table.header["BJDREFF"] = 2457000, 0.0
    other = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=np.zeros(3))], name="OTHER")
    path.parent.mkdir(exist_ok=True)
    fits.HDUList([primary, other, table]).writeto(path)


@pytest.fixture
def kepler(tmp_path, survey):
    curves = {}
    for number, curve in enumerate(survey.values().values()):
        flux = 10 ** (-0.4 * (curve["mag"].astype(np.float64) - 20.4))
        flux = flux.astype(np.float32)
        error = (0.03 * flux).astype(np.float32)
        curves[f"TIC {number}"] = {"mjd": curve["mjd"], "flux": flux, "error": error}
        quality = np.arange(len(flux) + 3) >= len(flux)
        mjd = np.append(curve["mjd"], [59991, 59992, 59993])
        flux, error = np.append(flux, [1, 2, 3]), np.append(error, [1, 1, 1])
        write_kepler(
            tmp_path / "tess" / f"tess_{number}_lc.fits", mjd, flux, error, number, quality
        )
    return tmp_path / "tess", curves


def test_light_curve_files_of_kepler_and_tess(kepler, survey):
    folder, curves = kepler
    summary, found = survey.convert(folder, "--flux", "--zero-point", "20.4")
    assert sorted(found) == sorted(curves)
    for name, curve in curves.items():
        ((mjd, mag, errmag, _),) = found[name]
        np.testing.assert_allclose(mjd, curve["mjd"], rtol=0, atol=1e-8)
        flux = curve["flux"].astype(np.float64)
        np.testing.assert_array_equal(mag, (20.4 - 2.5 * np.log10(flux)).astype(np.float32))
        expected = 2.5 / np.log(10) * curve["error"].astype(np.float64) / flux
        np.testing.assert_allclose(errmag, expected, rtol=1e-6)
    assert summary["dropped_observations"]["flagged"] == 27
    assert summary["input"]["observations"] == summary["written"]["observations"] + 27
    assert summary["processing"]["zero_point"] == 20.4


def test_metadata_may_list_the_header_s_object_or_the_file(kepler, survey, tmp_path):
    folder, curves = kepler
    options = ["--flux", "--zero-point", "20.4", "--metadata"]
    for ids in (list(curves), [f"tess_{i}_lc" for i in range(9)]):
        table = survey.write(tmp_path / "m.csv", "ID,Class\n" + "".join(f"{n},A\n" for n in ids))
        _, found = survey.convert(folder, *options, str(table))
        assert sorted(found) == sorted(ids)


def test_plain_tables_with_metadata_in_fits(tmp_path, survey):
    from astropy.table import Table

    curves = survey.values()
    (tmp_path / "data").mkdir()
    for name, curve in curves.items():
        Table(curve).write(tmp_path / "data" / f"{name}.fits")
    classes = {"ID": list(curves), "Class": [name[-1] for name in curves]}
    Table(classes).write(tmp_path / "data" / "metadata.fits")
    _, found = survey.convert(tmp_path / "data")
    survey.check(found, curves)
    assert all(found[name][0][3] == name[-1] for name in curves)


@pytest.mark.parametrize("cut", [100, 3000, 9000])
def test_a_damaged_file_is_named(kepler, tmp_path, cut):
    folder, _ = kepler
    path = folder / "tess_3_lc.fits"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(RecordError, match=r"tess_3_lc.fits cannot be read as FITS|has no table"):
        main(
            [
                *("--data", str(folder), "--output", str(tmp_path / "out")),
                *("--flux", "--zero-point", "20"),
            ]
        )


def test_an_image_and_a_column_of_vectors_are_refused(tmp_path):
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "a.fits"
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(path)
    command = ["--data", str(tmp_path / "data"), "--output", str(tmp_path / "out")]
    with pytest.raises(RecordError, match="has no table"):
        main(command)
    columns = [fits.Column(n, "3E", array=np.zeros((5, 3))) for n in ("mjd", "mag", "err")]
    fits.BinTableHDU.from_columns(columns).writeto(path, overwrite=True)
    with pytest.raises(DataAnomalyError, match="column mjd must hold one number in each row"):
        main(command)


def test_without_astropy_the_extra_is_named(tmp_path, monkeypatch):
    import importlib.util

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.fits").write_bytes(b"SIMPLE")
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "astropy" else real(name)
    )
    with pytest.raises(MissingExtraError, match=r"astropy is not installed.*\[fits\]"):
        main(["--data", str(tmp_path / "data"), "--output", str(tmp_path / "out")])


@pytest.fixture(scope="module")
def whole() -> bytes:
    columns = [fits.Column(n, "D", array=np.arange(600.0)) for n in ("TIME", "FLUX")]
    sink = io.BytesIO()
    table = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(sink)
    return sink.getvalue()


def write(folder: Path, content: bytes) -> Path:
    (folder / "a.fits").write_bytes(content)
    return folder / "a.fits"


def test_whole_files_pass(whole: bytes, tmp_path: Path) -> None:
    unpadded = whole[: 2 * 2880 + 600 * 16]
    for content in (whole, gzip.compress(whole), unpadded):
        check_structure(write(tmp_path, content))
    assert open_fits(write(tmp_path, whole)).names == ("TIME", "FLUX")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("NAXIS2", 10**12),
        ("NAXIS2", -600),
        ("NAXIS1", -2880),
        ("PCOUNT", -9600),
        ("GCOUNT", 10**9),
        ("NAXIS", -1),
        ("NAXIS", 1000),
        ("BITPIX", 7),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_sizes_that_lie_are_refused(
    whole: bytes, tmp_path: Path, keyword: str, value: int, packed: bool
) -> None:
    extension = whole.index(b"XTENSION")
    place = whole.index(f"{keyword:8}=".encode(), extension)
    card = f"{keyword:8}= {value:20}".ljust(80).encode()
    content = whole[:place] + card + whole[place + 80 :]
    with pytest.raises(RecordError, match=r"a\.fits cannot be read as FITS: extension 1 must have"):
        open_fits(write(tmp_path, gzip.compress(content) if packed else content))


def test_other_files_are_not_given_to_astropy(whole: bytes, tmp_path: Path) -> None:
    first = "its first header must have"
    for content, said in (
        (b"", first),
        (b"PK\x03\x04" + bytes(5000), first),
        (b"BZh9" + bytes(5000), first),
        (whole[:2000], "the card END"),
        (b"SIMPLE  =" + b" " * (2880 * 1100), "at most 1024 blocks"),
        (whole + whole, "extension 2 must have XTENSION"),  # it reads this for ever
        (whole[:-4000], "fewer"),
    ):
        with pytest.raises(RecordError, match=said):
            open_fits(write(tmp_path, content))


def test_what_is_unpacked_in_memory_is_bounded(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits_structure, "MOST_PACKED_DATA", 5000)
    check_structure(write(tmp_path, whole))
    with pytest.raises(RecordError, match=r"5,000 bytes of data in a compressed file.*gunzip"):
        check_structure(write(tmp_path, gzip.compress(whole)))
