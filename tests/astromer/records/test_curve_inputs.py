"""Light curves in the forms that users have them in."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.curve_inputs import as_light_curves
from astromer.system.errors import LightCurveError, UsageError

MJD = [58000.123456789, 58002.3, 58007.2]
MAG = [15.1, 15.4, 15.2]
ERR = [0.02, 0.03, 0.02]


def check(curves: LightCurves, count: int = 1, errors: bool = True) -> None:
    assert len(curves) == count
    assert (curves.mjd.dtype, curves.mag.dtype) == (np.float64, np.float32)
    for index in range(count):
        curve = curves[index]
        assert curve.mjd.tolist() == MJD
        assert curve.mag == pytest.approx(MAG, abs=1e-5)
        if errors:
            assert curve.errmag == pytest.approx(ERR, abs=1e-6)
        else:
            assert np.isnan(curve.errmag).all()


def arrays() -> tuple[np.ndarray, ...]:
    return tuple(np.array(values) for values in (MJD, MAG, ERR))


def test_one_light_curve_in_every_plain_form() -> None:
    mjd, mag, errmag = arrays()
    for one in (
        LightCurve(MJD, MAG, ERR),
        (MJD, MAG, ERR),
        [MJD, MAG, ERR],
        (mjd, mag, errmag),
        {"mjd": MJD, "mag": mag, "errmag": ERR},
        np.stack([mjd, mag, errmag], axis=1),
        LightCurves.from_curves([LightCurve(mjd, mag, errmag)]),
    ):
        check(as_light_curves(one))
        if not isinstance(one, LightCurves):
            check(as_light_curves([one, one]), 2)
            check(as_light_curves(one for _ in range(3)), 3)


def test_errors_may_be_unknown() -> None:
    for one in ((MJD, MAG), (MJD, MAG, None), {"mjd": MJD, "mag": MAG}):
        check(as_light_curves(one), errors=False)
    assert np.isnan(as_light_curves((MJD, MAG, [0.1, None, 0.1])).errmag).tolist() == [
        False,
        True,
        False,
    ]


def test_names_are_kept() -> None:
    curves = as_light_curves(
        [LightCurve(MJD, MAG, ERR, "a", 3, "RRL", period=0.5), {"id": 7, "mjd": [], "mag": []}]
    )
    assert curves.ids.tolist() == ["a", "7"]
    assert curves.labels.tolist() == [3, -1]
    np.testing.assert_array_equal(curves.periods, [0.5, np.nan])
    assert curves.lengths.tolist() == [3, 0]


def test_nothing_is_no_light_curve() -> None:
    assert len(as_light_curves([])) == 0


# Three observations of one star, then three of another; some values are missing.
COLUMNS: dict[str, list] = {
    "id": ["007", "1e5", "007", "1e5", "007", "1e5"],
    "number": [2**63 + 1, 2**63 + 3] * 3,
    "mjd": [time for time in MJD for _ in range(2)],
    "mag": [mag for mag in MAG for _ in range(2)],
    "errmag": [0.02, 0.02, None, None, 0.02, 0.02],
    "flux": [0.0] * 6,
}


def masked(values: list) -> np.ma.MaskedArray:
    missing = [value is None for value in values]
    return np.ma.array([0 if value is None else value for value in values], mask=missing)


def structured(columns: dict[str, list]) -> np.ma.MaskedArray:
    arrays = {name: masked(values) for name, values in columns.items()}
    kinds = [(name, array.dtype) for name, array in arrays.items()]
    table = np.ma.zeros(len(columns["mjd"]), dtype=kinds)
    for name, array in arrays.items():
        table[name] = array
    return table


def pandas(columns: dict[str, list]):
    return pytest.importorskip("pandas").DataFrame(columns)


def nullable(columns: dict[str, list]):
    pd = pytest.importorskip("pandas")
    return pandas(
        {
            name: pd.array(values, "UInt64" if name == "number" else None)
            for name, values in columns.items()
        }
    )


def polars(columns: dict[str, list]):
    import polars

    return polars.DataFrame(columns)


def arrow(columns: dict[str, list]):
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {
            name: pa.array(values, pa.uint64() if name == "number" else None)
            for name, values in columns.items()
        }
    )
    if "id" in columns and table["id"].type == pa.string():
        table = table.set_column(0, "id", table["id"].dictionary_encode())
    return table


def astropy(columns: dict[str, list]):
    table = pytest.importorskip("astropy.table")
    made = table.Table({name: masked(values) for name, values in columns.items()})
    made["mag"].unit = "mag"
    if "errmag" in columns:
        made["errmag"] = 1000 * made["errmag"]
        made["errmag"].unit = "mmag"
    return made


TABLES = [pandas, nullable, polars, arrow, astropy, structured]


@pytest.mark.parametrize("make", TABLES)
def test_tables_of_every_library(make) -> None:
    table = make(COLUMNS)
    for id_column, names in ((None, ["007", "1e5"]), ("number", [str(2**63 + n) for n in (1, 3)])):
        curves = as_light_curves(table, id_column=id_column)
        assert curves.ids.tolist() == names
        for curve in (curves[0], curves[1]):
            assert curve.mjd.tolist() == MJD
            assert curve.mag == pytest.approx(MAG, abs=1e-5)  # not the fluxes
            assert curve.errmag == pytest.approx([0.02, np.nan, 0.02], abs=1e-6, nan_ok=True)
    one = make({name: values[::2] for name, values in COLUMNS.items() if name != "id"})
    check(as_light_curves((one["mjd"], one["mag"])), errors=False)
    assert as_light_curves([one, one]).ids.tolist() == ["", ""]
    assert as_light_curves([table, one]).ids.tolist() == ["007", "1e5", ""]


@pytest.mark.parametrize("make", TABLES)
def test_rows_without_an_id_are_left_out_and_counted(make) -> None:
    ids = [2**53 + 1, None, None, 7, 2**53 + 1, None]
    if make is pandas:  # which makes floats of them
        ids = [7.0, None, None, 12.0, 7.0, None]
    table = make({**COLUMNS, "id": ids})
    with pytest.warns(UserWarning, match=r"^3 of 6 rows of curves have no id and are left out\.$"):
        curves = as_light_curves(table)
    assert curves.ids.tolist() == (["7", "12"] if make is pandas else [str(2**53 + 1), "7"])
    assert curves.lengths.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (np.array([b"a", b"\xc3\xa9"]), ["a", "é"]),
        ([True, "true"], ["True", "true"]),
        (np.array([1.5, 2.0]), r"curves\.id must be text or whole numbers.*Received: 1\.5"),
        (np.array([2.0**60, 2.0]), r"curves\.id must be text or whole numbers.*Received: 1\.15"),
        (np.array([b"\xff", b"a"]), r"curves\.id must be in UTF-8\. Received: b'.xff'"),
    ],
)
def test_ids_are_kept_as_they_are_or_refused(ids, names) -> None:
    table = pandas({"id": ids, "mjd": [1.0, 1.0], "mag": [2.0, 2.0]})
    if isinstance(names, list):
        assert as_light_curves(table).ids.tolist() == names
    else:
        with pytest.raises(LightCurveError, match=names):
            as_light_curves(table)


@pytest.mark.parametrize("make", TABLES)
def test_each_band_of_a_star_is_a_light_curve_whatever_the_columns_are_called(make) -> None:
    """The columns of a light curve from IRSA's ZTF service."""
    columns = {
        "oid": [1, 1, 1, 2, 1, 2],
        "expid": [0] * 6,
        "hjd": [time + 2400000.5 for time in COLUMNS["mjd"]],
        "mjd": COLUMNS["mjd"],
        "mag": COLUMNS["mag"],
        "magerr": COLUMNS["errmag"],
        "catflags": [0, 0, 32768, 0, 2, 0],
        "filtercode": ["zg", "zr", "zg", "zg", "zg", "zg"],
    }
    with pytest.warns(UserWarning, match="^2 rows of curves have catflags set, which is not"):
        curves = as_light_curves(make(columns))
    assert curves.ids.tolist() == ["1", "1", "2"]
    assert curves.bands.tolist() == ["zg", "zr", "zg"]
    assert curves.lengths.tolist() == [3, 1, 2]
    assert curves[0].mjd.tolist() == [MJD[0], MJD[1], MJD[2]]
    assert curves[0].errmag == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)


def test_an_iterable_of_frames_keeps_their_ids() -> None:
    frame = pandas(COLUMNS)
    frames = [frame[frame.id == name] for name in ("1e5", "007")]
    assert as_light_curves(frames).ids.tolist() == ["1e5", "007"]
    assert as_light_curves(frame.groupby("id")).ids.tolist() == ["007", "1e5"]
    groups = frame.assign(star=["b"] * 3 + ["a"] * 3, band=["V", "I"] * 3).groupby("star")
    curves = as_light_curves(groups)
    assert curves.ids.tolist() == ["a", "a", "b", "b"]
    assert curves.bands.tolist() == ["I", "V", "V", "I"]
    assert as_light_curves(polars(COLUMNS).group_by("id", maintain_order=True)).ids.tolist() == [
        "007",
        "1e5",
    ]
    sets = [as_light_curves(frame), as_light_curves(frames)]
    assert as_light_curves(sets).ids.tolist() == ["007", "1e5", "1e5", "007"]


def test_pandas_tables() -> None:
    table = pandas({"mjd": MJD, "mag": MAG, "errmag": ERR})
    check(as_light_curves(table))
    check(as_light_curves(table[["mag", "mjd"]]), errors=False)
    labelled = table.rename(columns={"mag": "flux"}).assign(label="RRL")
    assert as_light_curves(labelled, zero_point=25).ids.tolist() == [""]
    noon = pandas({"time": np.array(["2017-09-04T12", "NaT"], "datetime64[ns]"), "mag": [1.0, 2.0]})
    assert as_light_curves(noon).mjd == pytest.approx([58000.5, np.nan], nan_ok=True)
    assert as_light_curves(noon.convert_dtypes().rename(columns={"time": "mjd"})).mjd[0] == 58000.5
    with pytest.raises(LightCurveError, match=r"curves\.mag must be .*values of datetime64"):
        as_light_curves(noon.rename(columns={"time": "mag", "mag": "mjd"}))


def test_an_index_with_a_name_is_a_column() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"id": ["a", "b", "a", "b"], "mjd": [1.0, 2, 3, 4], "mag": [15.0] * 4, "band": list("ggrg")}
    )
    for index in ("id", ["id", "band"]):
        curves = as_light_curves(frame.set_index(index))
        assert list(zip(curves.ids, curves.bands, strict=True)) == [
            ("a", "g"),
            ("b", "g"),
            ("a", "r"),
        ]


def test_times_with_a_time_zone_are_utc() -> None:
    pandas = pytest.importorskip("pandas")
    local = pandas.to_datetime(["2017-09-04T02:00", "2017-09-05T02:00"]).tz_localize("Etc/GMT-2")
    curves = as_light_curves(pandas.DataFrame({"time": local, "mag": [15.0, 15.5]}))
    assert curves.mjd.tolist() == [58000.0, 58001.0]


def test_groups_without_an_id_are_left_out() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["a", None], "mjd": [1.0, 2.0], "mag": [15.0, 15.5]})
    groups = [("a", frame[:1]), (None, frame[1:])]  # as polars' group_by gives them
    with pytest.warns(UserWarning, match="1 rows of"):
        assert as_light_curves(groups).ids.tolist() == ["a"]
    with pytest.warns(UserWarning, match="have no id"):
        assert as_light_curves([part for _, part in groups]).ids.tolist() == ["a"]


def test_a_batch_of_arrow_is_a_table() -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"id": ["a", "b"], "mjd": [1.0, 2.0], "mag": [15.0, 15.5]})
    assert as_light_curves(table.to_batches()).ids.tolist() == ["a", "b"]


def test_errors_of_a_dict_may_have_any_usual_name() -> None:
    curves = as_light_curves({"mjd": [1.0, 2.0], "mag": [15.0, 15.5], "magerr": [0.25, 0.5]})
    assert curves.errmag.tolist() == [0.25, 0.5]
    with pytest.raises(LightCurveError, match="must have mjd.*Received: jd, mag"):
        as_light_curves({"jd": [1.0], "mag": [15.0]})


def test_astropy_tables_units_and_times() -> None:
    table = pytest.importorskip("astropy.table")
    from astropy import units as u
    from astropy.time import Time
    from astropy.timeseries import TimeSeries

    plain = table.Table({"mjd": MJD, "mag": MAG, "errmag": ERR})
    check(as_light_curves(plain))
    check(as_light_curves([plain, plain]), 2)
    units = table.QTable(
        {"mjd": MJD * u.day, "mag": MAG * u.mag, "errmag": np.array(ERR) * 1000 * u.mmag}
    )
    check(as_light_curves(units))
    check(as_light_curves((units["mjd"], u.Magnitude(MAG, u.ABmag), ERR)))
    timed = table.Table({"time": Time(np.array(MJD) + 2400000.5, format="jd"), "mag": MAG})
    assert as_light_curves(timed).mjd == pytest.approx(MJD, abs=1e-6)
    series = TimeSeries(time=Time(MJD, format="mjd"), data={"mag": MAG, "errmag": ERR})
    assert as_light_curves(series).mjd == pytest.approx(MJD, abs=1e-9)
    with pytest.raises(LightCurveError, match=r"curves\.mag must be numbers in mag"):
        as_light_curves((MJD, MAG * u.m, ERR))


class Fluxes:
    """What lightkurve's objects offer."""

    def __init__(self, time, flux, flux_err):
        self.time, self.flux, self.flux_err, self.label = time, flux, flux_err, "KIC 1"


def test_fluxes_become_magnitudes() -> None:
    units = pytest.importorskip("astropy.units")
    from astropy.time import Time

    flux = 10 ** (-0.4 * (np.array(MAG) - 20.4))
    error = flux * np.array(ERR) * np.log(10) / 2.5
    electrons = units.Unit("electron/s")
    one = Fluxes(Time(MJD, format="mjd"), flux * electrons, error * electrons)
    curves = as_light_curves(one, zero_point=20.4)
    assert curves.mjd == pytest.approx(MJD, abs=1e-9)
    assert curves.mag == pytest.approx(MAG, abs=1e-5)
    assert curves.errmag == pytest.approx(ERR, abs=1e-6)
    assert curves.ids.tolist() == ["KIC 1"]
    with pytest.raises(UsageError, match=r"curves\[1\] has fluxes, which need zero_point="):
        as_light_curves([(MJD, MAG), one])
    jansky = 3631 * 10 ** (-0.4 * np.array([*MAG[:2], 15.2])) * units.Jy
    one = Fluxes(Time(MJD, format="mjd"), jansky.to("mJy"), None)
    curves = as_light_curves(one, zero_point=3631 * units.Jy)
    assert curves.mag == pytest.approx(MAG, abs=1e-5)
    negative = Fluxes(MJD, [-1.0, 0.0, 1.0], [1.0, 1.0, 1.0])
    assert np.isnan(as_light_curves(negative, zero_point=25).mag).tolist() == [True, True, False]


def test_fluxes_of_a_time_series() -> None:
    timeseries = pytest.importorskip("astropy.timeseries")
    from astropy.time import Time

    series = timeseries.TimeSeries(
        time=Time(MJD, format="mjd"), data={"flux": [1.0, 10.0, 100.0], "flux_err": [0.1, 1.0, 1.0]}
    )
    curves = as_light_curves([series], zero_point=25.0)
    assert curves.mag == pytest.approx([25.0, 22.5, 20.0], abs=1e-5)
    assert curves.errmag == pytest.approx([0.1086, 0.1086, 0.01086], abs=1e-4)


class Collection:
    """As lightkurve's collections, it can be indexed and has no ``__iter__``."""

    def __init__(self, data: list):
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int):
        return self.data[index]


def lightkurve(flux: list[float], **meta):
    """A TimeSeries as lightkurve makes them: barycentric times, masked fluxes with units, flags."""
    units = pytest.importorskip("astropy.units")
    from astropy.time import Time
    from astropy.timeseries import TimeSeries
    from astropy.utils.masked import Masked

    electrons = units.Unit("electron / s")
    times = Time(np.array(MJD) + 2400000.5 - 2457000, 2457000, format="jd", scale="tdb")
    series = TimeSeries(time=times, meta=meta)
    series["flux"] = Masked(np.array(flux, np.float32) * electrons, mask=[False, False, True])
    series["flux_err"] = Masked(np.array([0.1, 1.0, 1.0]) * electrons, mask=[False, False, True])
    series["quality"] = np.array([0, 0, 128], np.int32)
    return series


def test_lightkurve_objects_and_collections() -> None:
    one = lightkurve([1.0, 10.0, 100.0], LABEL="TIC 25155310", TARGETID=25155310)
    another = lightkurve([10.0, 100.0, 1.0], LABEL=None, TARGETID=7)
    relative = lightkurve([1.0, 1.0, 1.0])
    relative["flux"] = relative["flux"].value  # normalised fluxes have no unit
    with pytest.warns(UserWarning, match=r"1 rows of curves\[0\] have quality set"):
        curves = as_light_curves(Collection([one, another, relative]), zero_point=20.44)
    assert curves.ids.tolist() == ["TIC 25155310", "7", ""]
    assert curves[0].mjd == pytest.approx(MJD, abs=1e-8)
    assert curves[0].mag == pytest.approx([20.44, 17.94, np.nan], abs=1e-5, nan_ok=True)
    assert curves[0].errmag == pytest.approx([0.1086, 0.1086, np.nan], abs=1e-4, nan_ok=True)
    assert curves[1].mag[0] == pytest.approx(17.94, abs=1e-5)
    assert as_light_curves(one, zero_point=20.44).ids.tolist() == ["TIC 25155310"]


@pytest.mark.parametrize("unit", ["mJy", "nonsense/s"])
def test_errors_of_fluxes_may_have_another_unit(unit: str) -> None:
    table = pytest.importorskip("astropy.table")
    units = pytest.importorskip("astropy.units")
    made = table.Table({"mjd": MJD, "flux": [1.0, 2.0, 4.0], "flux_err": [1.0, 2.0, 4.0]})
    made["flux"].unit = made["flux_err"].unit = units.Unit(unit, parse_strict="silent")
    curves = as_light_curves(made, zero_point=20.0)
    assert curves.mag[0] == 20
    assert curves.errmag == pytest.approx([1.0857] * 3, abs=1e-4)
    made["flux_err"].unit = "uJy"
    if unit == "mJy":
        assert as_light_curves(made, zero_point=20.0).errmag[0] == pytest.approx(
            1.0857e-3, rel=1e-4
        )
    else:
        with pytest.raises(LightCurveError, match=r"curves\.flux_err must be numbers in nonsense"):
            as_light_curves(made, zero_point=20.0)


@pytest.mark.parametrize(
    ("curves", "told"),
    [
        (
            [(MJD, MAG)] * 3 + [(MJD, MAG[:2])],
            r"curves\[3\]\.mag must be as long as mjd \(3\)\. Received: 2",
        ),
        ((MJD, MAG, ERR[:1]), r"curves\.errmag must be as long as mjd \(3\)\. Received: 1"),
        ([LightCurve(MJD, MAG[:2], ERR, "V1")], r"curves\[0\] \(V1\)\.mag must be as long"),
        (
            [{"mjd": MJD, "magnitude": MAG}],
            r"curves\[0\] must have mjd, mag.*Received: mjd, magnitude",
        ),
        ((MJD, ["a", "b", "c"]), r"curves\.mag must be numbers in mag"),
        ([(MJD, np.zeros((3, 1)))], r"curves\[0\]\.mag must have one dimension.*\[3, 1\]"),
    ],
)
def test_values_that_do_not_fit_are_named(curves, told: str) -> None:
    with pytest.raises(LightCurveError, match=told):
        as_light_curves(curves)


@pytest.mark.parametrize(
    ("curves", "told"),
    [
        (5, "Received: int"),
        ("curves.parquet", "Received: str"),
        ({"a": (MJD, MAG)}, "Received: dict"),
        ([5], r"curves\[0\] must be.*Received: int"),
        ([np.zeros((3, 7))], r"Received: ndarray of shape \[3, 7\]"),
    ],
)
def test_other_forms_are_refused(curves, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        as_light_curves(curves)


def test_an_unknown_id_column_is_told() -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(UsageError, match="'star'; the columns are mjd, mag"):
        as_light_curves(pd.DataFrame({"mjd": MJD, "mag": MAG}), id_column="star")


def test_no_library_is_imported_for_arrays(toy) -> None:
    code = (
        "import sys; from astromer.records.curve_inputs import as_light_curves;"
        "as_light_curves(([1.0], [2.0]));"
        "print([n for n in ('pandas', 'astropy', 'tensorflow') if n in sys.modules])"
    )
    done = toy.python("-c", code)
    assert done.stdout.strip() == "[]", done.stderr
