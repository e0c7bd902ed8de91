"""Files in the shapes in which archives serve them, and the light curves in them.

Headers, order of columns, formats of numbers and what stands for no value are those that the
documents of each profile describe, or that files of the survey have. Values are made up, or a few
rows of such a file; what is right was computed by hand.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PER_RATIO = 2.5 / math.log(10)
NONE = math.nan
Curves = Mapping[tuple[str, str], Sequence[tuple[float, float, float]]]


@dataclass(frozen=True)
class Served:
    """What an archive gives for some stars.

    Attributes:
        profile: of the survey.
        make: writes the files into a folder and returns what to give as --data.
        curves: MJD, magnitude and error by id and band.
        left_out: rows by reason.
        known: whether the survey is known by its columns or by names of files.
    """

    profile: str
    make: Callable[[Path], Path]
    curves: Curves
    left_out: Mapping[str, int] = field(default_factory=dict)
    known: bool = True


def one(name: str, content: str | bytes) -> Callable[[Path], Path]:
    """One file."""

    def make(folder: Path) -> Path:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        return folder / name

    return make


def several(files: Mapping[str, str]) -> Callable[[Path], Path]:
    """A folder of files."""

    def make(folder: Path) -> Path:
        for name, text in files.items():
            (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "data" / name).write_text(text)
        return folder / "data"

    return make


def parquet(name: str, columns: Mapping[str, object]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pq.write_table(pa.table(columns), folder / name)
        return folder / name

    return make


def ipac(names: str, kinds: str, rows: Sequence[str], width: int = 20) -> str:
    """An IPAC table of IRSA: names, types, units and nulls between bars."""

    def line(cells: Sequence[str], edge: str) -> str:
        return edge + edge.join(cell.rjust(width) for cell in cells) + edge + "\n"

    head = "\\fixlen = T\n\\RowsRetrieved = 3\n\\ORIGIN = 'IPAC Infrared Science Archive (IRSA)'\n"
    head += "\\ mjd (day)\n\\ ___ modified Julian date of the mid-point\n"
    columns = names.split()
    head += line(columns, "|") + line(kinds.split(), "|")
    head += line(["" for _ in columns], "|") + line(["null" for _ in columns], "|")
    return head + "".join(line(row.split(), " ") for row in rows)


def fits(files: Mapping[str, tuple[Mapping[str, Sequence], Mapping, Mapping]]):
    """FITS files: columns of the table, its header, and that of the file."""

    def make(folder: Path) -> Path:
        from astropy.io import fits as astropy_fits

        for name, (columns, table_header, header) in files.items():
            cells = []
            for column, values in columns.items():
                text = isinstance(values[0], str)
                whole = isinstance(values[0], int)
                kind = "1A" if text else "J" if whole else "D" if "TIME" in column else "E"
                kind = "D" if column == "TMID_BJD" else kind
                cells.append(astropy_fits.Column(column, kind, array=np.array(values)))
            table = astropy_fits.BinTableHDU.from_columns(cells, name="LIGHTCURVE")
            table.header.update(table_header)
            primary = astropy_fits.PrimaryHDU()
            primary.header.update(header)
            image = astropy_fits.ImageHDU(np.zeros((3, 3), np.int32), name="APERTURE")
            astropy_fits.HDUList([primary, table, image]).writeto(folder / name)
        return folder

    return make


def flux(mag: float, zero_point: float) -> float:
    return 10 ** (0.4 * (zero_point - mag))


def spacecraft(quality: str, zero_point: float, reference: int, header: dict):
    """A light-curve file of Kepler or TESS: times, magnitudes and flags become its columns."""

    def file(times: list[float], mags: list[float], flags: list[int]):
        fluxes = [flux(mag, zero_point) for mag in mags]
        columns = {
            "TIME": times,
            "TIMECORR": [0.0 for _ in times],
            "CADENCENO": list(range(len(times))),
            "SAP_FLUX": [2 * value for value in fluxes],
            "SAP_FLUX_ERR": [1.0 for _ in times],
            "PDCSAP_FLUX": fluxes,
            "PDCSAP_FLUX_ERR": [value * 0.01 / PER_RATIO for value in fluxes],
            quality: flags,
        }
        keys = {"BJDREFI": reference, "BJDREFF": 0.0, "TIMEUNIT": "d", "TIMESYS": "TDB"}
        return columns, keys, header

    return file


kepler = spacecraft("SAP_QUALITY", 25.10, 2454833, {"OBJECT": "KIC 757076", "KEPLERID": 757076})
tess = spacecraft("QUALITY", 20.44, 2457000, {"OBJECT": "TIC 25155310", "TICID": 25155310})


def gaia_raw(folder: Path) -> Path:
    """RAW: a row for each star, and arrays with a value for each transit."""
    from astropy.table import Table

    def cell(*values: object) -> np.ndarray:
        column = np.empty(1, object)
        column[0] = np.array(values)
        return column

    columns = {
        "solution_id": [1],
        "source_id": [5285001],
        "transit_id": cell(1, 2, 3),
        "g_transit_time": cell(1705.25, 1706.25, 1707.25),
        "g_transit_flux": cell(2000.0, 2000.0, 2000.0),
        "g_transit_flux_error": cell(10.0, 10.0, 10.0),
        "g_transit_mag": cell(15.0, 15.1, 9.0),
        "variability_flag_g_reject": cell(False, False, True),
    }
    for band, time, mag in (("bp", 1705.5, 15.5), ("rp", 1705.6, 14.5)):
        columns[f"{band}_obs_time"] = cell(time, NONE, NONE)
        columns[f"{band}_flux"] = cell(1000.0, NONE, NONE)
        columns[f"{band}_flux_error"] = cell(20.0, NONE, NONE)
        columns[f"{band}_mag"] = cell(mag, NONE, NONE)
        columns[f"variability_flag_{band}_reject"] = cell(False, False, False)
    Table(columns).write(folder / "raw.ecsv", format="ascii.ecsv")
    return folder / "raw.ecsv"


def gaia_masked(folder: Path) -> Path:
    """A VOTable of DataLink in which what was rejected has no values."""
    from astropy.table import MaskedColumn, Table

    def some(*values: float) -> MaskedColumn:
        return MaskedColumn(values, mask=[False, False, True])

    table = Table(
        {
            "source_id": [5285001, 5285001, 5285002],
            "transit_id": [1, 1, 2],
            "band": ["G", "BP", "RP"],
            "time": [1705.25, 1705.5, 2001.0],
            "mag": some(15.0, 15.5, 0.0),
            "flux": some(2000.0, 1000.0, 0.0),
            "flux_error": some(10.0, 20.0, 0.0),
            "flux_over_error": some(200.0, 50.0, 0.0),
            "rejected_by_photometry": [False, False, True],
            "rejected_by_variability": MaskedColumn([False] * 3, mask=[False, False, True]),
        }
    )
    table["time"].unit, table["mag"].unit = "d", "mag"
    table.write(folder / "gaia.xml", format="votable")
    return folder / "gaia.xml"


def lsst_row(star: int, mjd: float, band: str, mag: float, failed: bool, psf: bool) -> str:
    value = flux(mag, 31.4)
    return f"{star},{band},{value!r},{value * 0.01 / PER_RATIO!r},{failed},5.0,1.0,{psf},{mjd}\n"


def forced(rows: Sequence[tuple[str, float, float, bool]]) -> dict[str, list]:
    values = [flux(mag, 31.4) for _, _, mag, _ in rows]
    return {
        "band": [band for band, *_ in rows],
        "midpointMjdTai": [mjd for _, mjd, *_ in rows],
        "psfFlux": values,
        "psfFluxErr": [value * 0.01 / PER_RATIO for value in values],
        "psfFlux_flag": [False for _ in rows],
        "pixelFlags_bad": [False for _ in rows],
        "pixelFlags_saturated": [saturated for *_, saturated in rows],
    }


def detected(mjd: float, mag: float) -> dict[str, list]:
    names = ("band", "midpointMjdTai", "psfFlux", "psfFluxErr", "scienceFlux", "scienceFluxErr")
    return dict(zip(names, (["g"], [mjd], [-5.0], [1.0], [flux(mag, 31.4)], [1.0]), strict=True))


def macho_row(star: int, mjd: float, red: str, blue: str) -> str:
    """39 cells, of which the first is empty."""
    camera = "1;1;0;1;0;0;1;5;5;100;3;6;0"
    return f";1;3441;{star};{mjd};278;West;300;1.4;{red};{camera};{blue};{camera}\n"


ASAS = """#ndata= 4
#dataset= {n} ; {n} F0036-08_275
#desig= 002000-0452.0
#     HJD      MAG_3  MAG_0  MAG_1  MAG_2  MAG_4    MER_3 MER_0 MER_1 MER_2 MER_4 GRADE FRAME
"""
ASAS_ROW = " {} 9.113  9.120  9.130  {}  9.140   0.01  0.02  0.03  {}  0.05  {}   411\n"
AAVSO = (
    "JD,Magnitude,Uncertainty,HQuncertainty,Band,Observer Code,Comment Code(s),Comp Star 1,"
    "Comp Star 2,Charts,Comments,Transfomed,Airmass,Validation Flag,Cmag,Kmag,HJD,Star Name,"
    "Observer Affiliation,Measurement Method,Grouping Method,ADS Reference,Digitizer,Credit\n"
)
EXTENDED = "#TYPE=EXTENDED\n#OBSCODE=DERA\n#SOFTWARE=R\n#DELIM={}\n#DATE=JD\n#OBSTYPE=CCD\n"
EXTENDED_NAMES = (
    "#NAME,DATE,MAG,MERR,FILT,TRANS,MTYPE,CNAME,CMAG,KNAME,KMAG,AMASS,GROUP,CHART,NOTES\n"
)
COMPARISON = "YES,STD,ENSEMBLE,NA,119,11.851,1.8558,na,X15912Y,obs#454/3 comps\n"
EROS = """# star:  erosid      MagR    ErrMR   XR      YR     MagB    ErrMB   XB      YB
#        lm0120m11618   15.614  0.171 294.06 1187.16  16.127  0.258 238.74 1226.15
#
#   date      MagR    ErMagR MagB    ErMagB
   317.83891  15.776  0.016  16.297  0.027
   327.89459  99.999  9.999  16.044  0.025
  1308.00000  15.500  0.020  99.999  9.999
"""
NEOWISE = (
    "ra dec w1mpro w1sigmpro w2mpro w2sigmpro cc_flags ph_qual qual_frame qi_fact saa_sep "
    "moon_masked mjd"
)
NEOWISE_KINDS = "double " * 6 + "char char int double double char double"
NEOWISE_ROWS = (
    "10.1 10.2 8.5 0.01 8.25 0.02 0000 AA 10 1.0 50.0 00 56700.25",
    "10.1 10.2 12.5 null 8.9 0.02 0000 UA 0 1.0 50.0 00 56701.25",  # a poor frame
    "10.1 10.2 12.5 null 8.3 0.02 0000 UA 10 1.0 50.0 00 56702.25",  # W1 is a limit
    "10.1 10.2 6.5 0.01 6.25 0.02 dD00 AA 10 1.0 50.0 00 56703.25",  # artefacts
    "10.1 10.2 6.5 0.01 6.25 0.02 0000 AA 10 0.0 50.0 00 56704.25",  # streaked
    "10.1 10.2 6.5 0.01 6.25 0.02 0000 AA 10 1.0 -3.0 00 56705.25",  # South Atlantic Anomaly
    "10.1 10.2 6.5 0.01 6.25 0.02 0000 AA 10 1.0 50.0 11 56706.25",  # light of the moon
)

SERVED = {
    "asassn v1": Served(
        "asassn",
        several(
            {
                "lc1.csv": (
                    "HJD,UT Date,Camera,FWHM,Limit,mag,mag_err,flux(mJy),flux_err,Filter\n"
                    "2458000.47009,2017-09-03.9710,be,1.77,15.518,14.839,0.117,4.448,0.477,V\n"
                    "2458002.51020,2017-09-06.0113,be,2.03,14.814,>14.814,99.990,4.020,0.911,V\n"
                    "2458500.47000,2019-01-16.9713,be,2.03,14.814,14.100,0.020,4.020,0.911,g\n"
                )
            }
        ),
        {
            ("lc1", "V"): [(57999.97009, 14.839, 0.117)],
            ("lc1", "g"): [(58499.97, 14.1, 0.02)],
        },
        {"upper_limit": 1},
    ),
    "asassn variables": Served(
        "asassn",
        several(
            {
                "AP1.csv": (
                    "hjd,camera,mag,mag_err,flux,flux_err\n"
                    "2457981.84031,bc,11.221,0.02,124.549,2.292\n"
                    "2458372.79859,bi,11.252,0.02,121.073,2.228\n"
                )
            }
        ),
        {
            ("AP1", "V"): [(57981.34031, 11.221, 0.02)],
            ("AP1", "g"): [(58372.29859, 11.252, 0.02)],
        },
    ),
    "asassn v2, web": Served(
        "asassn",
        several(
            {
                "light_curve_1.csv": (
                    "# ASAS-SN Sky Patrol v2\n# flux in mJy, quality: see the paper\n#\n\n\n"
                    "JD,Flux,Flux Error,Mag,Mag Error,Limit,FWHM,Filter,Quality,Camera\n"
                    "2457148.1143957,26.0455,0.1300,12.9204,0.0054,16.9278,1.70,V,G,ba\n"
                    "2458372.3,27.0177,0.0732,13.1,0.005,17.5513,1.98,g,G,bi\n"
                    "2458373.3,27.0177,0.0732,13.9,0.005,17.5513,1.98,g,B,bi\n"
                    "2458374.3,0.0177,0.0732,99.990,99.990,17.5513,1.98,g,G,bi\n"
                )
            }
        ),
        {
            ("light_curve_1", "V"): [(57147.6143957, 12.9204, 0.0054)],
            ("light_curve_1", "g"): [(58371.8, 13.1, 0.005)],
        },
        {"flagged": 1, "upper_limit": 1},
    ),
    "ztf, ipac": Served(
        "ztf",
        one(
            "ztf.tbl",
            ipac(
                "oid expid hjd mjd mag magerr catflags filtercode",
                "long long double double float float int char",
                [
                    "686103400067717 1 2458204.753 58204.25 18.5 0.02 0 zg",
                    "686203400106720 1 2458205.003 58204.5 17.5 0.01 0 zr",
                    "686203400106720 1 2458205.203 58204.7 13.5 0.01 32768 zr",
                ],
            ),
        ),
        {
            ("686103400067717", "zg"): [(58204.25, 18.5, 0.02)],
            ("686203400106720", "zr"): [(58204.5, 17.5, 0.01)],
        },
        {"flagged": 1},
    ),
    "ztf, sources of HATS": Served(
        "ztf",
        parquet(
            "Npix=1.parquet",
            {
                "ps1_objid": [133001] * 3,
                "ra": [1.0] * 3,
                "ps1_gMeanPSFMag": [18.0] * 3,
                "mean_mag_g": [18.0] * 3,
                "catflags": [0, 0, 32768],
                "mag": [18.5, 17.5, 12.0],
                "magerr": [0.02, 0.01, 0.01],
                "mjd": [58204.25, 58204.5, 58204.75],
                "band": ["g", "r", "r"],
            },
        ),
        {
            ("133001", "g"): [(58204.25, 18.5, 0.02)],
            ("133001", "r"): [(58204.5, 17.5, 0.01)],
        },
        {"flagged": 1},
    ),
    "atlas": Served(
        "atlas",
        several(
            {
                "job1.txt": (
                    "###MJD          m      dm   uJy   duJy F err chi/N   RA       Dec        x"
                    "        y     maj  min   phi  apfit mag5sig Sky   Obs\n"
                    "58414.640780  18.185  0.029   193   17 o  0   1.05 161.2  53.7   356.3  1198"
                    " 6.3 6.3   0.0 -0.200 18.42 19.32 02a58414o0151o\n"
                    "58416.626060  17.278  0.106   445   41 c  0   1.10 161.2  53.7   356.3  1198"
                    " 4.5 4.5   0.0 -0.200 18.57 18.88 02a58416o0151c\n"
                    "58417.626060 -19.278  0.306   -70   20 o  0   1.10 161.2  53.7   356.3  1198"
                    " 4.5 4.5   0.0 -0.200 18.57 18.88 02a58417o0151o\n"
                )
            }
        ),
        {
            ("job1", "o"): [(58414.64078, 18.185, 0.029)],
            ("job1", "c"): [(58416.62606, 17.278, 0.106)],
        },
        {"non_positive_flux": 1},
    ),
    "gaia, arrays": Served(
        "gaia",
        gaia_raw,
        {
            ("5285001", "G"): [
                (56902.25, 15.0, PER_RATIO / 200),
                (56903.25, 15.1, PER_RATIO / 200),
            ],
            ("5285001", "BP"): [(56902.5, 15.5, PER_RATIO / 50)],
            ("5285001", "RP"): [(56902.6, 14.5, PER_RATIO / 50)],
        },
        {"flagged": 1},
    ),
    "gaia, masked": Served(
        "gaia",
        gaia_masked,
        {
            ("5285001", "G"): [(56902.25, 15.0, PER_RATIO / 200)],
            ("5285001", "BP"): [(56902.5, 15.5, PER_RATIO / 50)],
        },
        {"flagged": 1},
    ),
    "ogle-iii": Served(
        "ogle",
        several(
            {
                "phot/I/OGLE-LMC-CEP-0002.dat": "  2167.00000 15.613 0.004\n",
                "phot/V/OGLE-LMC-CEP-0002.dat": "  2168.00000 16.200 0.010\n",
                "ident.dat": "OGLE-LMC-CEP-0002  F 04:35:31.46 -69:44:06.1\n",
                "cepF.dat": "OGLE-LMC-CEP-0002 15.6 16.2 3.1 0.0001\n",
                "README": "a text\n",
            }
        ),
        {
            ("OGLE-LMC-CEP-0002", "I"): [(52166.5, 15.613, 0.004)],
            ("OGLE-LMC-CEP-0002", "V"): [(52167.5, 16.2, 0.01)],
        },
    ),
    "asas, files that end in a number": Served(
        "asas",
        several(
            {
                "002000-0452.0": (
                    ASAS.format(n=1)
                    + ASAS_ROW.format("1868.50000", "9.220", "0.032", "A")
                    + ASAS_ROW.format("1868.60000", "7.220", "0.032", "D")
                    + ASAS.format(n=2)
                    + ASAS_ROW.format("1869.50000", "9.230", "0.033", "B")
                ),
                "002001-0452.0": (
                    ASAS.format(n=1)
                    + ASAS_ROW.format("1870.50000", "9.250", "0.030", "A")
                    + ASAS_ROW.format("1871.50000", "29.999", "0.030", "C")
                ),
            }
        ),
        {
            ("002000-0452.0", "V"): [(51868.0, 9.22, 0.032), (51869.0, 9.23, 0.033)],
            ("002001-0452.0", "V"): [(51870.0, 9.25, 0.03)],
        },
        {"flagged": 1, "sentinel": 1},
    ),
    "aavso, download": Served(
        "aavso",
        several(
            {
                "aavsodata_1.csv": (
                    AAVSO
                    + '2457700.75,10.123,0.005,,V,ABC,K,ENSEMBLE,101,X1,"clear, calm; ""ok""",1,'
                    "1.1,Z,,,,R LEO,,STD,,,,\n"
                    '2457701.25,10.9,0.01,,B,ABC,,ENSEMBLE,101,X1,"two\nlines, one comment",1,'
                    "1.1,V,,,,R LEO,,STD,,,,\n"
                    "2457702,10.2,,,Vis.,XYZ,,95,100,13577AB,,0,,Z,,,,R LEO,,STD,,,,\n"
                    "2457703,<12.5,,,Vis.,XYZ,,95,100,13577AB,,0,,Z,,,,R LEO,,STD,,,,\n"
                    "2457704,1.5,0.1,,V,XYZ,,95,100,13577AB,,0,,T,,,,R LEO,,STD,,,,\n"
                )
            }
        ),
        {
            ("aavsodata_1", "V"): [(57700.25, 10.123, 0.005)],
            ("aavsodata_1", "B"): [(57700.75, 10.9, 0.01)],
            ("aavsodata_1", "Vis."): [(57701.5, 10.2, NONE)],
        },
        {"upper_limit": 1, "flagged": 1},
    ),
    "aavso, extended format": Served(
        "aavso",
        several(
            {
                "report1.txt": (
                    EXTENDED.format(",")
                    + EXTENDED_NAMES
                    + f"AM GEM,2457878.65819,13.914,0.050,V,{COMPARISON}"
                    + f"AM GEM,2457878.75,14.900,0.060,B,{COMPARISON}"
                    + f"AM GEM,2457879.75,<15.100,na,B,{COMPARISON}"
                )
            }
        ),
        {
            ("report1", "V"): [(57878.15819, 13.914, 0.05)],
            ("report1", "B"): [(57878.25, 14.9, 0.06)],
        },
        {"upper_limit": 1},
    ),
    "aavso, extended format without names": Served(
        "aavso",
        several(
            {
                "report1.txt": EXTENDED.format("|")
                + f"AM GEM,2457878.65819,13.914,0.050,V,{COMPARISON}".replace(",", "|")
            }
        ),
        {("report1", "V"): [(57878.15819, 13.914, 0.05)]},
        known=False,
    ),
    "crts, a cone": Served(
        "crts",
        one(
            "result_web_file.csv",
            "MasterID,Mag,Magerr,RA,Dec,MJD,Blend\n"
            "1109065026725,16.94,0.08,182.25,9.76,53705.501925,0\n"
            "1109065026725,15.94,0.08,182.25,9.76,53705.601925,1\n"
            "2109065000001,17.10,0.09,182.2501,9.7601,53706.5,0\n",
        ),
        {
            ("1109065026725", "CV"): [(53705.501925, 16.94, 0.08)],
            ("2109065000001", "CV"): [(53706.5, 17.1, 0.09)],
        },
        {"flagged": 1},
    ),
    "crts, two objects in a cone": Served(
        "crts",
        one(
            "multi.csv",
            "InputID\tID\tMag\tMagerr\tRA\tDecl\tMJD\tBlend\n"
            "Her X-1\t1109065026725\t16.94\t0.08\t182.25\t9.76\t53705.501925\t0\n"
            "Her X-1\t1109065026799\t14.10\t0.05\t182.26\t9.76\t53705.501925\t0\n",
        ),
        {
            ("1109065026725", "CV"): [(53705.501925, 16.94, 0.08)],
            ("1109065026799", "CV"): [(53705.501925, 14.1, 0.05)],
        },
    ),
    "eros": Served(
        "eros",
        several({"lm0120m11618.time": EROS}),
        {
            ("lm0120m11618", "R_E"): [(50317.33891, 15.776, 0.016), (51307.5, 15.5, 0.02)],
            ("lm0120m11618", "B_E"): [(50317.33891, 16.297, 0.027), (50327.39459, 16.044, 0.025)],
        },
        {"sentinel": 2},
    ),
    "macho, a tile": Served(
        "macho",
        one(
            "F_1.3441.gz",
            gzip.compress(
                (
                    macho_row(15, 48823.6441, "-5.298;0.288", "-5.292;0.293")
                    + macho_row(15, 48824.6249, "-4.635;0.172", "-99.0;-99.0")
                    + macho_row(16, 48823.6441, "-7.1;0.02", "-7.2;-3026.0")
                ).encode()
            ),
        ),
        {
            ("1.3441.15", "R"): [(48823.6441, -5.298, 0.288), (48824.6249, -4.635, 0.172)],
            ("1.3441.15", "B"): [(48823.6441, -5.292, 0.293)],
            ("1.3441.16", "R"): [(48823.6441, -7.1, 0.02)],
        },
        {"failed_fit": 2},
    ),
    "kepler, two quarters": Served(
        "kepler",
        fits(
            {
                "kplr000757076-2009131105131_llc.fits": kepler(
                    [131.5, NONE, 132.5], [11.5, NONE, 9.0], [0, 0, 16]
                ),
                "kplr000757076-2009166043257_llc.fits": kepler([170.75], [11.6], [0]),
            }
        ),
        {("KIC 757076", "Kp"): [(54964.0, 11.5, 0.01), (55003.25, 11.6, 0.01)]},
        {"flagged": 1},
    ),
    "tess, two sectors": Served(
        "tess",
        fits(
            {
                "tess2018206045859-s0001-0000000025155310-0120-s_lc.fits": tess(
                    [1325.5, NONE, 1326.5], [11.5, NONE, 9.0], [0, 0, 128]
                ),
                "tess2018234235059-s0002-0000000025155310-0121-s_lc.fits": tess(
                    [1350.75], [11.6], [0]
                ),
            }
        ),
        {("TIC 25155310", "TESS"): [(58325.0, 11.5, 0.01), (58350.25, 11.6, 0.01)]},
        {"flagged": 1},
    ),
    "qlp, from sector 56": Served(
        "qlp",
        fits(
            {
                "hlsp_qlp_tess_ffi_s0060-0000000000000007_tess_v01_llc.fits": (
                    {
                        "TIME": [3000.5, 3001.5],
                        "SAP_FLUX": [1.01, 1.5],
                        "DET_FLUX": [1.0, 1.5],
                        "DET_FLUX_ERR": [0.001, 0.001],
                        "QUALITY": [0, 4096],
                    },
                    {"BJDREFI": 2457000, "BJDREFF": 0.0, "TIMEUNIT": "d"},
                    {"OBJECT": "TIC 7", "TICID": "7", "TESSMAG": 12.0},
                )
            }
        ),
        {
            ("TIC 7", "TESS"): [
                (60000.0, 12 - 2.5 * math.log10(1.01), PER_RATIO * 0.001 / 1.01),
            ]
        },
        {"flagged": 1},
    ),
    "cdips": Served(
        "cdips",
        fits(
            {
                "hlsp_cdips_tess_ffi_gaiatwo0005290000000000000001-0001_tess_v01_llc.fits": (
                    {
                        "TMID_BJD": [2458325.5, 2458326.5],
                        "IFL2": [1e4, 1e4],
                        "IRM1": [11.25, 9.0],
                        "IRE1": [0.005, 0.01],
                        "IRQ1": ["G", "X"],
                        "IRM2": [11.5, 9.0],
                        "IRE2": [0.01, 0.01],
                        "IRQ2": ["G", "X"],
                        "TFA2": [11.0, 11.0],
                    },
                    {},
                    {"Gaia-ID": "5290000000000000001", "TICTEFF": 5000.0},
                )
            }
        ),
        {("5290000000000000001", "TESS"): [(58325.0, 11.5, 0.01)]},
        {"flagged": 1},
    ),
    "lsst, forced sources": Served(
        "lsst",
        one(
            "forced.csv",
            "objectId,band,psfFlux,psfFluxErr,psfFlux_flag,psfDiffFlux,psfDiffFluxErr,"
            "invalidPsfFlag,expMidptMJD\n"
            + lsst_row(611255759837069401, 60623.25, "g", 20.0, False, False)
            + lsst_row(611255759837069402, 60624.25, "i", 21.0, False, False)
            + lsst_row(611255759837069402, 60625.25, "i", 15.0, True, False)
            + lsst_row(611255759837069402, 60626.25, "i", 15.0, False, True)
            + "611255759837069402,i,-20.5,10.0,False,5.0,1.0,False,60627.25\n",
        ),
        {
            ("611255759837069401", "g"): [(60623.25, 20.0, 0.01)],
            ("611255759837069402", "i"): [(60624.25, 21.0, 0.01)],
        },
        {"flagged": 2, "non_positive_flux": 1},
    ),
    "lsst, two nested tables": Served(
        "lsst",
        parquet(
            "dia.parquet",
            {
                "diaObjectId": [611255759837069401, 611255759837069402],
                "diaObjectForcedSource": [
                    forced([("g", 60623.25, 20.0, False)]),
                    forced([("i", 60625.25, 21.0, False), ("i", 60626.25, 12.0, True)]),
                ],
                "diaSource": [detected(60700.0, 23.0), detected(60701.0, 23.0)],
            },
        ),
        {
            ("611255759837069401", "g"): [(60623.25, 20.0, 0.01)],
            ("611255759837069402", "i"): [(60625.25, 21.0, 0.01)],
        },
        {"flagged": 1},
    ),
    "neowise, ipac": Served(
        "wise",
        several({"star1.tbl": ipac(NEOWISE, NEOWISE_KINDS, NEOWISE_ROWS)}),
        {
            ("star1", "W1"): [(56700.25, 8.5, 0.01)],
            ("star1", "W2"): [(56700.25, 8.25, 0.02), (56702.25, 8.3, 0.02)],
        },
        {"flagged": 10, "upper_limit": 1},
    ),
    "allwise, multi-epoch": Served(
        "wise",
        one(
            "mep.csv",
            "source_id_mf,mjd,w1mpro_ep,w1sigmpro_ep,w2mpro_ep,w2sigmpro_ep,w3mpro_ep,"
            "w3sigmpro_ep,qi_fact,saa_sep,moon_masked\n"
            "100,55300.25,8.5,0.01,8.25,0.02,7.5,0.1,1,20,0000\n"
            "101,55300.25,9.5,0.01,9.25,,7.9,0.1,1,20,0010\n",
        ),
        {
            ("100", "W1"): [(55300.25, 8.5, 0.01)],
            ("100", "W2"): [(55300.25, 8.25, 0.02)],
            ("100", "W3"): [(55300.25, 7.5, 0.1)],
            ("101", "W1"): [(55300.25, 9.5, 0.01)],
        },
        {"upper_limit": 1, "flagged": 1},
    ),
}
