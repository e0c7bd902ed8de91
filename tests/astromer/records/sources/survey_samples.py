"""A few lines of each survey, as its documents describe them, and what they mean.

Numbers are made up. Each survey has four stars, and each star six good rows in each band; times
and values of good rows follow from the star and the row, as ``good`` has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

STARS, ROWS = range(4), range(6)
PER_RATIO = 2.5 / math.log(10)


@dataclass(frozen=True)
class Sample:
    """Files of a survey.

    Attributes:
        profile: its name.
        write: makes the files in a folder and returns what to give as --data.
        bands: what each star has.
        ids: of the stars.
        dropped: rows left out, by reason.
        one_time: all bands of a row have the first one's time.
    """

    profile: str
    write: Callable[[Path], Path]
    bands: tuple[str, ...]
    ids: Callable[[int], str]
    dropped: dict[str, int] = field(default_factory=dict)
    one_time: bool = False


def good(star: int, row: int, band: int = 0) -> tuple[float, float, float]:
    """MJD, magnitude and error of a good row."""
    return (
        58000.25 + 10 * star + row + 0.125 * band,
        15 + star / 4 + row / 8 + band,
        (1 + row) / 64,
    )


def rows(star: int, band: int = 0) -> list[tuple[float, float, float]]:
    return [good(star, row, band) for row in ROWS]


def flux_of(mag: float, err: float, zero_point: float) -> tuple[float, float]:
    flux = 10 ** (0.4 * (zero_point - mag))
    return flux, err * flux / PER_RATIO


def each_file(name: Callable[[int], str], text: Callable[[int], str]) -> Callable[[Path], Path]:
    """A file for each star."""

    def write(folder: Path) -> Path:
        for star in STARS:
            path = folder / "data" / name(star)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(star))
        return folder / "data"

    return write


def one_file(name: str, head: str, text: Callable[[int], str]) -> Callable[[Path], Path]:
    """One long table."""

    def write(folder: Path) -> Path:
        (folder / name).write_text(head + "".join(map(text, STARS)))
        return folder / name

    return write


def _ztf(star: int) -> str:
    lines = []
    for band, code in enumerate(("zg", "zr")):
        for mjd, mag, err in rows(star, band):
            lines.append(f"00{star},{mjd + 2400000.502},{mjd},{mag},{err},0,{code}\n")
        lines.append(f"00{star},0,58100.5,9.5,0.01,32768,{code}\n")
    return "".join(lines)


def _ztf_lists(folder: Path) -> Path:
    table = pa.table(
        {
            "objectid": [633107400000000 + star for star in STARS],
            "filterid": pa.array([2] * 4, pa.int8()),
            "hmjd": [[r[0] for r in rows(s)] + [58100.5] for s in STARS],
            "mag": pa.array([[r[1] for r in rows(s)] + [9.5] for s in STARS]),
            "magerr": [[r[2] for r in rows(s)] + [0.01] for s in STARS],
            "catflags": [[0] * 6 + [32768] for _ in STARS],
        }
    )
    pq.write_table(table, folder / "ztf.parquet")
    return folder / "ztf.parquet"


def _hats(folder: Path) -> Path:
    """The same as one list of structures in each row (nested-pandas)."""
    lists = [
        [{"hmjd": m, "mag": v, "magerr": e, "catflags": 0} for m, v, e in rows(s)] for s in STARS
    ]
    table = pa.table({"objectid": [str(s) for s in STARS], "filterid": [1] * 4, "lc": lists})
    pq.write_table(table, folder / "hats.parquet")
    return folder / "hats.parquet"


def _asassn_v1(star: int) -> str:
    head = "HJD,UT Date,Camera,FWHM,Limit,mag,mag_err,flux(mJy),flux_err\n"
    good_rows = (
        f"{mjd + 2400000.5},2017-09-04.1,{camera},1.6,16.9,{mag},{err},3.1,0.05\n"
        for band, camera in enumerate(("ba", "bi"))
        for mjd, mag, err in rows(star, band)
    )
    return head + "".join(good_rows) + "2458100.5,2017,ba,1.6,16.9,>16.9,99.990,-0.1,0.05\n"


def _asassn_v2(star: int) -> str:
    head = (
        "asas_sn_id,jd,flux,flux_err,mag,mag_err,limit,fwhm,image_id,camera,quality,phot_filter\n"
    )
    return (
        head
        + "".join(
            f"{star},{mjd + 2400000.5},3.1,0.05,{mag},{err},17,1.9,i,be,G,{code}\n"
            for band, code in enumerate("Vg")
            for mjd, mag, err in rows(star, band)
        )
        + f"{star},2458100.5,3.1,0.05,9.9,0.01,17,1.9,i,be,B,g\n"
        + f"{star},2458101.5,3,1,99.99,99.99,17,1,i,b,G,g\n"
    )


def _atlas(star: int) -> str:
    head = "###MJD          m      dm   uJy   duJy F err chi/N     RA       Dec\n"
    lines = []
    for band, code in enumerate("co"):
        for mjd, mag, err in rows(star, band):
            flux, error = flux_of(mag, err, 23.9)
            lines.append(
                f"{mjd:.6f}  {mag:.4f} {err:.6f} {flux:.0f} {error:.0f} {code} 0 28.0 65.0 -54.9\n"
            )
        lines.append(f"58100.5 -16.593  0.036    -837   37 {code} 0 28.0 65.0 -54.9\n")
        lines.append(f"58101.5 16.593  0.036    837   37 {code} 1 28.0 65.0 -54.9\n")
    return head + "".join(lines)


def _gaia_text(star: int, delimiter: str = ",") -> str:
    lines = []
    for band, name in enumerate(("G", "BP", "RP")):
        for mjd, mag, err in rows(star, band):
            flux = 1000.0
            cells = [
                100 + star,
                1,
                name,
                mjd - 55197.0,
                mag,
                flux,
                err * flux / PER_RATIO,
                50,
                "false",
                "false",
            ]
            lines.append(delimiter.join(map(str, cells)) + "\n")
        cells = [100 + star, 1, name, 2900.5, 9.5, 1000, 1, 50, "true", "false"]
        lines.append(delimiter.join(map(str, cells)) + "\n")
    return "".join(lines)


_GAIA = (
    "source_id,transit_id,band,time,mag,flux,flux_error,flux_over_error,rejected_by_photometry,"
    "rejected_by_variability\n"
)


def _gaia_votable(folder: Path) -> Path:
    from astropy.table import Table

    text = _GAIA + "".join(_gaia_text(star) for star in STARS)
    table = Table.read(text, format="ascii.csv")
    for name in ("rejected_by_photometry", "rejected_by_variability"):
        table[name] = [str(value).lower() == "true" for value in table[name]]
    table["time"].unit, table["mag"].unit = "d", "mag"
    table.write(folder / "gaia.vot", format="votable")
    return folder / "gaia.vot"


def _gaia_ecsv(folder: Path) -> Path:
    from astropy.table import Table

    table = Table.read(_gaia_votable(folder), format="votable")
    table.write(folder / "gaia.ecsv", format="ascii.ecsv")
    return folder / "gaia.ecsv"


def _ogle(folder: Path) -> Path:
    for band, name in enumerate("IV"):
        for star in STARS:
            path = folder / "ogle" / "phot" / name / f"OGLE-LMC-CEP-000{star}.dat"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = (f"{m + 2400000.5:.5f} {v:.4f} {e:.6f}\n" for m, v, e in rows(star, band))
            path.write_text("".join(lines))
    (folder / "ogle" / "ident.dat").write_text("OGLE-LMC-CEP-0000  F 04:35:31.46 -69:44:06.1\n")
    return folder / "ogle"


def _asas(star: int) -> str:
    head = (
        "# The All Sky Automated Survey Data\n#dataset= 1 ; 1 F1\n"
        "#     HJD      MAG_0  MAG_1  MAG_2  MAG_3  MAG_4    "
        "MER_0 MER_1 MER_2 MER_3 MER_4 GRADE FRAME\n"
    )
    return (
        head
        + "".join(
            f" {m - 49999.5:.5f} 10.1 10.2 {v:.4f} 10.4 10.5   0.1 0.2 {e:.6f} 0.4 0.5  A 30\n"
            for m, v, e in rows(star)
        )
        + (
            " 2100.5 10.1 10.2 10.3 10.4 10.5   0.1 0.2 0.3 0.4 0.5  D 3016\n"
            " 2101.5 29.999 29.999 29.999 29.999 29.999   0.1 0.2 0.3 0.4 0.5  C 3016\n"
        )
    )


def _aavso(star: int) -> str:
    head = (
        "JD,Magnitude,Uncertainty,HQuncertainty,Band,Observer Code,Comments,Validation Flag,"
        "Star Name\n"
    )
    return (
        head
        + "".join(
            f'{m + 2400000.5},{v},{e},,{code},SNX,"clear, moon ""up""",Z,T CRB\n'
            for band, code in enumerate(("V", "Vis."))
            for m, v, e in rows(star, band)
        )
        + "2458100.5,<12.8,,,V,SNX,,Z,T CRB\n2458101.5,12.8,0.1,,V,SNX,,T,T CRB\n"
    )


def _macho(folder: Path) -> Path:
    (folder / "macho").mkdir()
    for band, name in enumerate("BR"):
        for star in STARS:
            lines = "".join(f"{m} {v} {e}\n" for m, v, e in rows(star, band))
            text = "# MACHO 1.3441.15\n#MJD Mag Err\n" + lines + "48900.5 -99.0 9.999\n"
            (folder / "macho" / f"lc_1.3441.{star}.{name}.mjd").write_text(text)
    return folder / "macho"


def _macho_table(star: int) -> str:
    red, blue = rows(star), rows(star, 1)
    lines = (
        f"1,3441,{star},{r[0]},{r[1]},{r[2]},{b[1]},{b[2]}\n"
        for r, b in zip(red, blue, strict=True)
    )
    return "".join(lines) + f"1,3441,{star},48900.5,-99.0,-99.0,-3.1,-3026.0\n"


def _eros(star: int) -> str:
    red, blue = rows(star), rows(star, 1)
    days = (f"{r[0] - 49999.5:.5f}" for r in red)
    return (
        "# star:  erosid      MagR    ErrMR   XR      YR     MagB    ErrMB   XB      YB\n"
        f"#        lm055{star}n1{star}  15.614  0.171 294.06 1187.16  16.127  0.258 238.7 1226.1\n"
        "#\n#   date      MagR    ErMagR MagB    ErMagB\n"
        + "".join(
            f"   {d}  {r[1]:.4f}  {r[2]:.6f}  {b[1]:.4f}  {b[2]:.6f} \n"
            for d, r, b in zip(days, red, blue, strict=True)
        )
        + "   317.83891  99.999  9.999  99.999  9.999 \n"
    )


def _fits(
    name: Callable[[int], str],
    zero: float,
    columns: Callable[..., dict],
    header: dict,
    good_flag: object = 0,
) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        from astropy.io import fits

        (folder / "fits").mkdir()
        for star in STARS:
            series = rows(star)
            mjd = np.array([*(r[0] for r in series), 58100.5])
            found = columns(
                mjd + 2400000.5 - zero,
                [*(r[1] for r in series), 9.5],
                [*(r[2] for r in series), 0.01],
            )
            cells = [
                fits.Column(
                    n, "4A" if np.asarray(v).dtype.kind == "U" else "D", array=np.asarray(v)
                )
                for n, v in found.items()
            ]
            table = fits.BinTableHDU.from_columns(cells, name="LIGHTCURVE")
            table.header.update(header)
            primary = fits.PrimaryHDU()
            primary.header["OBJECT"] = f"TIC {star}"
            primary.header["TESSMAG"] = 11.0
            fits.HDUList([primary, table]).writeto(folder / "fits" / name(star))
        return folder / "fits"

    return write


def _spoc(time, mag, err) -> dict:
    flux, error = zip(*(flux_of(m, e, 20.44) for m, e in zip(mag, err)))
    quality = [0] * 6 + [128]
    return {
        "TIME": time,
        "SAP_FLUX": flux,
        "PDCSAP_FLUX": flux,
        "PDCSAP_FLUX_ERR": error,
        "QUALITY": quality,
    }


def _kepler(time, mag, err) -> dict:
    flux, error = zip(*(flux_of(m, e, 25.10) for m, e in zip(mag, err)))
    quality = [0] * 6 + [128]
    return {"TIME": time, "PDCSAP_FLUX": flux, "PDCSAP_FLUX_ERR": error, "SAP_QUALITY": quality}


def _qlp(time, mag, err) -> dict:
    flux, error = zip(*(flux_of(m, e, 11.0) for m, e in zip(mag, err)))
    quality = [0] * 6 + [4096]
    return {
        "TIME": time,
        "SAP_FLUX": flux,
        "KSPSAP_FLUX": flux,
        "KSPSAP_FLUX_ERR": error,
        "QUALITY": quality,
    }


def _cdips(time, mag, err) -> dict:
    return {
        "TMID_BJD": time,
        "IRM1": mag,
        "IRE1": err,
        "IRM2": mag,
        "IRE2": err,
        "IRQ2": ["G"] * 6 + ["X"],
    }


def _lsst(folder: Path) -> Path:
    cells = [
        (2**60 + star, mjd, *flux_of(mag, err, 31.4), code)
        for star in STARS
        for band, code in enumerate("gi")
        for mjd, mag, err in rows(star, band)
    ]
    bad = [(2**60, 58100.5, -50.0, 3.0, "g")]
    names = ("objectId", "midpointMjdTai", "psfFlux", "psfFluxErr", "band")
    pq.write_table(
        pa.table(dict(zip(names, map(list, zip(*cells, *bad))))), folder / "lsst.parquet"
    )
    return folder / "lsst.parquet"


def _wise(star: int) -> str:
    names = (
        "mjd",
        "w1mpro",
        "w1sigmpro",
        "w2mpro",
        "w2sigmpro",
        "cc_flags",
        "ph_qual",
        "qual_frame",
    )
    widths = (14, 10, 10, 10, 10, 9, 8, 11)
    kinds = ("double", "double", "double", "double", "double", "char", "char", "int")

    def line(cells, edge: str) -> str:
        return edge + edge.join(str(c).rjust(w) for c, w in zip(cells, widths)) + edge + "\n"

    text = "\\fixlen = T\n\\ORIGIN = 'made up'\n" + line(names, "|") + line(kinds, "|")
    for one, two in zip(rows(star), rows(star, 1)):
        text += line((one[0], one[1], one[2], two[1], two[2], "0000", "AA", 10), " ")
    text += line((58100.5, 9.5, 0.01, 9.5, 0.01, "D000", "AU", 10), " ")
    return text + line((58101.5, 9.5, 0.01, 9.5, 0.01, "0000", "AA", 0), " ")


SAMPLES = {
    "ztf csv": Sample(
        "ztf",
        one_file("ztf.csv", "oid,hjd,mjd,mag,magerr,catflags,filtercode\n", _ztf),
        ("zg", "zr"),
        lambda s: f"00{s}",
        {"flagged": 8},
    ),
    "ztf lists": Sample(
        "ztf", _ztf_lists, ("zr",), lambda s: str(633107400000000 + s), {"flagged": 4}
    ),
    "ztf structures": Sample("ztf", _hats, ("zg",), str),
    "asassn v1": Sample(
        "asassn",
        each_file(lambda s: f"lc{s}.csv", _asassn_v1),
        ("V", "g"),
        lambda s: f"lc{s}",
        {"upper_limit": 4},
    ),
    "asassn v2": Sample(
        "asassn",
        each_file(lambda s: f"{s}.csv", _asassn_v2),
        ("V", "g"),
        str,
        {"flagged": 4, "upper_limit": 4},
    ),
    "atlas": Sample(
        "atlas",
        each_file(lambda s: f"a{s}.txt", _atlas),
        ("c", "o"),
        lambda s: f"a{s}",
        {"non_positive_flux": 8, "flagged": 8},
    ),
    "gaia csv": Sample(
        "gaia",
        one_file("gaia.csv", _GAIA, _gaia_text),
        ("G", "BP", "RP"),
        lambda s: str(100 + s),
        {"flagged": 12},
    ),
    "gaia votable": Sample(
        "gaia", _gaia_votable, ("G", "BP", "RP"), lambda s: str(100 + s), {"flagged": 12}
    ),
    "gaia ecsv": Sample(
        "gaia", _gaia_ecsv, ("G", "BP", "RP"), lambda s: str(100 + s), {"flagged": 12}
    ),
    "ogle": Sample("ogle", _ogle, ("I", "V"), lambda s: f"OGLE-LMC-CEP-000{s}"),
    "asas": Sample(
        "asas",
        each_file(lambda s: f"19520{s}+0100.3.txt", _asas),
        ("V",),
        lambda s: f"19520{s}+0100.3",
        {"flagged": 4, "sentinel": 4},
    ),
    "crts": Sample(
        "crts",
        one_file(
            "crts.csv",
            "MasterID,Mag,Magerr,RA,Dec,MJD,Blend\n",
            lambda s: (
                "".join(f"111000{s},{v},{e},1,2,{m},0\n" for m, v, e in rows(s))
                + f"111000{s},9,0.1,1,2,58100.5,1\n"
            ),
        ),
        ("CV",),
        lambda s: f"111000{s}",
        {"flagged": 4},
    ),
    "aavso": Sample(
        "aavso",
        each_file(lambda s: f"star_{s}.csv", _aavso),
        ("V", "Vis."),
        lambda s: f"star_{s}",
        {"flagged": 4, "upper_limit": 4},
    ),
    "macho": Sample("macho", _macho, ("B", "R"), lambda s: f"1.3441.{s}", {"sentinel": 8}),
    "macho table": Sample(
        "macho_table",
        one_file("c2.csv", "fieldid,tileid,seqn,dateobs,rmag,rerr,bmag,berr\n", _macho_table),
        ("R", "B"),
        lambda s: f"1.3441.{s}",
        {"failed_fit": 8},
        one_time=True,
    ),
    "eros": Sample(
        "eros",
        each_file(lambda s: f"lm055{s}n1{s}.time", _eros),
        ("R_E", "B_E"),
        lambda s: f"lm055{s}n1{s}",
        {"sentinel": 8},
        one_time=True,
    ),
    "tess": Sample(
        "tess",
        _fits(lambda s: f"tess-{s}_lc.fits", 2457000, _spoc, {"BJDREFI": 2457000, "BJDREFF": 0.0}),
        ("TESS",),
        lambda s: f"TIC {s}",
        {"flagged": 4},
    ),
    "tess csv": Sample(
        "tess_csv",
        each_file(
            lambda s: f"TIC{s}.csv",
            lambda s: (
                "time,flux,flux_err\n"
                + "".join(
                    f"{m - 56999.5},{flux!r},{error!r}\n"
                    for m, v, e in rows(s)
                    for flux, error in [flux_of(v, e, 20.44)]
                )
            ),
        ),
        ("TESS",),
        lambda s: f"TIC{s}",
    ),
    "kepler": Sample(
        "kepler",
        _fits(lambda s: f"kplr-{s}.fits", 2454833, _kepler, {"BJDREFI": 2454833, "BJDREFF": 0.0}),
        ("Kp",),
        lambda s: f"TIC {s}",
        {"flagged": 4},
    ),
    "qlp": Sample(
        "qlp",
        _fits(lambda s: f"hlsp_qlp_{s}.fits", 2457000, _qlp, {"BJDREFI": 2457000, "BJDREFF": 0.0}),
        ("TESS",),
        lambda s: f"TIC {s}",
        {"flagged": 4},
    ),
    "cdips": Sample(
        "cdips",
        _fits(lambda s: f"hlsp_cdips_{s}.fits", 0, _cdips, {}),
        ("TESS",),
        lambda s: f"TIC {s}",
        {"flagged": 4},
    ),
    "lsst": Sample("lsst", _lsst, ("g", "i"), lambda s: str(2**60 + s), {"non_positive_flux": 1}),
    "wise": Sample(
        "wise",
        each_file(lambda s: f"w{s}.tbl", _wise),
        ("W1", "W2"),
        lambda s: f"w{s}",
        {"flagged": 12, "upper_limit": 4},
        one_time=True,
    ),
}
