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
        [LightCurve(MJD, MAG, ERR, "a", 3, "RRL"), {"id": 7, "mjd": [], "mag": []}]
    )
    assert curves.ids.tolist() == ["a", "7"]
    assert curves.labels.tolist() == [3, -1]
    assert curves.lengths.tolist() == [3, 0]


def test_nothing_is_no_light_curve() -> None:
    assert len(as_light_curves([])) == 0


def test_pandas_tables() -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"mjd": MJD, "mag": MAG, "errmag": ERR})
    check(as_light_curves(table))
    check(as_light_curves([table, table]), 2)
    check(as_light_curves((table["mjd"], table["mag"], table["errmag"])))
    check(as_light_curves(table[["mag", "mjd"]]), errors=False)
    long = pd.concat([table.assign(star="b"), table.assign(star="a")]).sort_values("mjd")
    curves = as_light_curves(long, id_column="star")
    check(curves, 2)
    assert sorted(curves.ids.tolist()) == ["a", "b"]
    check(as_light_curves(long.rename(columns={"star": "id"})), 2)
    table.loc[1, "errmag"] = None
    assert np.isnan(as_light_curves(table).errmag[1])


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
    masked = table.Table({"mjd": MJD, "mag": np.ma.array(MAG, mask=[0, 1, 0])}, masked=True)
    assert np.isnan(as_light_curves(masked).mag).tolist() == [False, True, False]
    long = table.vstack([plain, plain])
    long["id"] = ["x"] * 3 + ["y"] * 3
    check(as_light_curves(long), 2)
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
