"""Fluxes, time systems and missing errors, from the survey to the records."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.commands.create_records import main
from astromer.system.errors import LightCurveError, UsageError
from astromer.system.untrusted_files import tomllib


def processing_of(folder) -> dict:
    return tomllib.loads((folder / "fold_0" / "train" / "config.toml").read_text())["processing"]


def fluxes(curve) -> dict:
    flux = 10 ** (-0.4 * (curve["mag"].astype(np.float64) - 25))
    error = curve["errmag"].astype(np.float64) * np.log(10) / 2.5 * flux
    return {"mjd": curve["mjd"], "mag": flux, "errmag": error}


@pytest.mark.parametrize("layout", ["raw", "text"])
def test_fluxes_become_magnitudes(tmp_path, survey, make, layout):
    curves = survey.values()
    given = {name: fluxes(curve) for name, curve in curves.items()}
    for curve in given.values():
        bad = {"mjd": [60000.0, 60001.0], "mag": [0.0, -5.0], "errmag": [1.0, 1.0]}
        curve.update({k: np.append(v, bad[k]) for k, v in curve.items()})
    data = tmp_path / "data"
    if layout == "raw":
        make.survey(data, [{**c, "ID": n} for n, c in given.items()])
        for path in (data / "light_curves").iterdir():
            table = pq.read_table(path).rename_columns(["newID", "mjd", "flux", "fluxerr"])
            pq.write_table(table, path)
    else:
        for name, curve in given.items():
            text = "mjd,flux,flux_err\n" + survey.lines(curve)
            survey.write(data / f"{name}.csv", text)
    with pytest.raises(UsageError, match="fluxes .*--flux"):
        survey.convert(data)
    with pytest.raises(UsageError, match="--flux needs --zero-point"):
        survey.convert(data, "--flux")
    with pytest.raises(UsageError, match="give --flux too"):
        survey.convert(data, "--zero-point", "25")
    summary, found = survey.convert(data, "--flux", "--zero-point", "25")
    for name, curve in curves.items():
        ((mjd, mag, errmag, _),) = found[name]
        np.testing.assert_allclose(mjd, curve["mjd"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(mag, curve["mag"], rtol=0, atol=2e-6)
        np.testing.assert_allclose(errmag, curve["errmag"], rtol=1e-6)
    assert summary["dropped_observations"]["non_positive_flux"] == 18
    done = {"missing_errors": "refuse", "kind": "flux", "zero_point": 25.0}
    assert summary["processing"] == processing_of(tmp_path / "data-out") == done


def test_julian_dates_are_recognised_and_can_be_stated(tmp_path, survey):
    curves = survey.values()
    data = tmp_path / "data"

    def write(column: str) -> None:
        for name, curve in curves.items():
            text = survey.lines({**curve, "mjd": curve["mjd"] + 2400000.5})
            survey.write(data / f"{name}.csv", f"{column},mag,err\n" + text)

    write("mjd")  # the name says something else
    with pytest.raises(LightCurveError, match=r"look like JD: state --time-offset -2400000\.5"):
        survey.convert(data)
    write("jd")
    summary, found = survey.convert(data)
    assert summary["processing"]["time_offset"] == -2400000.5
    for name, curve in curves.items():
        np.testing.assert_allclose(found[name][0][0], curve["mjd"], rtol=0, atol=1e-9)
    summary, found = survey.convert(data, "--time-offset", "-2400000.5")
    for name, curve in curves.items():
        np.testing.assert_allclose(found[name][0][0], curve["mjd"], rtol=0, atol=1e-9)
    assert summary["processing"]["time_offset"] == -2400000.5
    survey.write(data / "config.toml", "[sequential_features]\ntime_offset = -2400000.5\n")
    _, again = survey.convert(data)
    assert list(again) == list(found)


def test_some_julian_dates_are_told(tmp_path, survey, capsys):
    for name, curve in survey.values().items():
        survey.write(tmp_path / "data" / f"{name}.dat", survey.lines(curve) + "2459000.5,12,.1\n")
    summary, _ = survey.convert(tmp_path / "data")
    assert summary["dropped_observations"]["mjd_out_of_range"] == 9
    assert summary["notes"][0].startswith("9 time(s) look like JD")
    assert "note: 9 time(s) look like JD" in capsys.readouterr().out


@pytest.mark.parametrize("header", ["mjd,mag\n", ""])
def test_errors_are_refused_or_filled_in_as_stated(tmp_path, survey, header):
    curves = survey.values()
    data = tmp_path / "data"
    for name, curve in curves.items():
        rows = zip(curve["mjd"].tolist(), curve["mag"].tolist(), strict=True)
        text = header + "".join(f"{mjd!r},{mag!r}\n" for mjd, mag in rows)
        survey.write(data / f"{name}.csv", text)
    with pytest.raises(LightCurveError, match="columns mjd, mag was taken for errors") as caught:
        survey.convert(data)
    assert "--missing-errors" not in str(caught.value)
    summary, found = survey.convert(data, "--missing-errors", "constant", "--error-fill", "0.05")
    filled = {
        n: {**c, "errmag": np.full(len(c["mjd"]), np.float32(0.05))} for n, c in curves.items()
    }
    survey.check(found, filled)
    total = sum(len(curve["mjd"]) for curve in curves.values())
    assert summary["written"]["filled_errors"] == total
    done = {"missing_errors": "constant", "error_fill": 0.05}
    assert summary["processing"] == processing_of(tmp_path / "data-out") == done


def test_only_missing_errors_are_filled_in(tmp_path, survey, make):
    curves = [{**c, "ID": n} for n, c in survey.values().items()]
    for curve in curves:
        curve["mag"] = (15 + (curve["mag"] - 15) / 10).astype(np.float32)
        curve["errmag"][1] = np.nan
        curve["errmag"][2] = -99
        curve["mag"][3] = 99.999
    make.survey(tmp_path / "data", curves)
    summary, _ = survey.convert(tmp_path / "data")
    assert summary["dropped_observations"]["missing_errmag"] == 18
    assert any("18 observation(s) have no error" in note for note in summary["notes"])
    summary, found = survey.convert(tmp_path / "data", "--missing-errors", "scatter")
    assert summary["written"]["filled_errors"] == 18
    for curve in curves:
        _, mag, errmag, _ = found[curve["ID"]][0]
        good = np.arange(len(curve["mag"])) != 3
        np.testing.assert_array_equal(mag, curve["mag"][good])
        steps = np.diff(curve["mag"][good].astype(np.float64))
        robust = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
        np.testing.assert_allclose(errmag[1:3], robust, rtol=1e-6)
        np.testing.assert_array_equal(errmag[3:], curve["errmag"][good][3:])


def test_a_raw_survey_without_a_column_of_errors(tmp_path, survey, make):
    curves = survey.values()
    make.survey(tmp_path / "data", [{**c, "ID": n} for n, c in curves.items()])
    for path in (tmp_path / "data" / "light_curves").iterdir():
        pq.write_table(pq.read_table(path).drop(["errmag"]), path)
    with pytest.raises(LightCurveError, match="columns newID, mjd, mag was taken for errors"):
        survey.convert(tmp_path / "data")
    _, found = survey.convert(tmp_path / "data", "--missing-errors", "constant")
    survey.check(
        found,
        {n: {**c, "errmag": np.full(len(c["mjd"]), np.float32(0.02))} for n, c in curves.items()},
    )


def test_bands_of_a_raw_survey_can_be_chosen(tmp_path, make):
    curves = [
        {**make.series(10, seed=i), "ID": f"s{i // 2}", "Band": "RB"[i % 2]} for i in range(20)
    ]
    survey = make.survey(tmp_path / "data", curves)
    with pytest.raises(UsageError, match="The bands of .* are B, R"):
        main(["--data", str(survey), "--band", "V", "--output", str(tmp_path / "out")])
    main(["--data", str(survey), "--band", "R", "--output", str(tmp_path / "out")])
    found = make.read_all((tmp_path / "out").rglob("*.record"))
    assert sorted(found) == [f"s{i}/R" for i in range(10)]


def test_real_magnitudes_without_errors_need_a_policy(shared, tmp_path, survey):
    source = shared / "data" / "macho_lmc_cep_noerr"
    few = pq.read_table(source / "metadata.parquet").slice(0, 30)
    shard = pq.read_table(source / "light_curves" / "shard_000.parquet")
    shard = shard.filter(pa.compute.less(shard["newID"], 30))
    (tmp_path / "macho" / "light_curves").mkdir(parents=True)
    pq.write_table(few, tmp_path / "macho" / "metadata.parquet")
    pq.write_table(shard, tmp_path / "macho" / "light_curves" / "shard_000.parquet")
    with pytest.raises(LightCurveError, match="--missing-errors"):
        survey.convert(tmp_path / "macho")
    summary, found = survey.convert(tmp_path / "macho", "--missing-errors", "scatter")
    assert summary["written"]["light_curves"] == len(found) == 30
    assert summary["written"]["filled_errors"] == summary["written"]["observations"]
    errors = np.concatenate([parts[0][2] for parts in found.values()])
    assert ((errors >= np.float32(0.02)) & (errors < 1)).all()
