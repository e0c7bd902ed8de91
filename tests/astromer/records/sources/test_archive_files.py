"""Files as archives serve them give the right light curves, with and without the survey's name."""

from __future__ import annotations

import numpy as np
import pytest

import astromer
from astromer.records.config import SurveyOptions
from astromer.records.sources.survey import read_curves
from astromer.records.survey_config import describe_survey
from tests.astromer.records.sources.archive_files import SERVED, Served


def read(data, survey: str, folder) -> tuple[dict, list[str]]:
    """Rows with a magnitude and a time, in their order in time, by id and band; and the report."""
    lines: list[str] = []
    found: dict[tuple[str, str], list] = {}
    config = describe_survey(SurveyOptions(survey=survey), data)
    for curves in read_curves(config, folder, announce=lines.extend, progress=False):
        for index in range(len(curves)):
            one = curves[index]
            table = np.column_stack([one.mjd, one.mag, one.errmag])
            table = table[np.isfinite(table[:, :2]).all(axis=1)]
            if len(table):
                found.setdefault((one.id, one.band), []).append(table)
    joined = {name: np.concatenate(parts) for name, parts in found.items()}
    return {name: table[np.argsort(table[:, 0])] for name, table in joined.items()}, lines


def check(found: dict, served: Served) -> None:
    assert sorted(found) == sorted(served.curves)
    for name, rows in served.curves.items():
        np.testing.assert_allclose(found[name][:, 0], [row[0] for row in rows], rtol=0, atol=2e-6)
        np.testing.assert_allclose(found[name][:, 1], [row[1] for row in rows], rtol=0, atol=1e-4)
        np.testing.assert_allclose(found[name][:, 2], [row[2] for row in rows], rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", SERVED)
def test_a_file_as_it_is_served(tmp_path, case):
    served = SERVED[case]
    (tmp_path / "survey").mkdir()
    data = served.make(tmp_path / "survey")
    for survey in ("auto", served.profile) if served.known else (served.profile,):
        found, lines = read(data, survey, tmp_path)
        check(found, served)
        assert lines[0].split()[1] == f"{served.profile}:"
        left_out = next(line for line in lines if line.startswith("left out")).split(None, 2)[2]
        wanted = [f"{n} {r.replace('_', ' ')}" for r, n in served.left_out.items()] or ["nothing"]
        assert sorted(left_out.split(", ")) == sorted(wanted)
        assert not [line for line in lines if "observed" in line or "1980" in line]


def test_times_of_another_mission_are_warned_of(tmp_path):
    # A light curve of Kepler saved as CSV, whose times are BKJD, under a name of TESS.
    data = tmp_path / "TIC1.csv"
    data.write_text("time,flux,flux_err\n" + "".join(f"{131 + n},900,1\n" for n in range(6)))
    _, lines = read(data, "auto", tmp_path)
    (warning,) = (line for line in lines if "observed" in line)
    assert "since 2018" in warning
    assert "2015-" in warning


def test_an_object_without_a_part_of_its_name_is_left_out(tmp_path):
    data = tmp_path / "macho.csv"
    row = "48823.5,-5.1,0.02,-5.2,0.03\n"
    data.write_text(
        "fieldid,tileid,seqn,dateobs,rmag,rerr,bmag,berr\n" + f"1,3441,7,{row}1,,7,{row}"
    )
    curves = astromer.read(data, quiet=True)
    assert curves.ids.tolist() == ["1.3441.7", "1.3441.7"]


def test_tables_that_are_called_after_their_bands(tmp_path):
    (tmp_path / "survey").mkdir()
    for band, mag in (("g", 15), ("r", 14)):
        rows = f"1,58000,{mag},0.1\n1,58001,{mag},0.1\n"
        (tmp_path / "survey" / f"stars_{band}.csv").write_text(f"id,mjd,mag,magerr\n{rows}")
    found, _ = read(tmp_path / "survey", "auto", tmp_path)
    assert {name: table[:, 1].tolist() for name, table in found.items()} == {
        ("1", "g"): [15, 15],
        ("1", "r"): [14, 14],
    }


def test_some_columns_of_ztf_are_enough(tmp_path):
    data = tmp_path / "ztf.csv"
    row = "2458200.5,15,0.1"
    data.write_text(
        f"oid,hjd,mag,magerr,catflags,filtercode\n1,{row},0,zg\n1,{row},0,zg\n1,{row},32768,zg\n"
    )
    found, lines = read(data, "auto", tmp_path)
    assert len(found["1", "zg"]) == 2
    assert "left out     1 flagged" in lines


def test_flags_may_be_written_t_and_f(tmp_path):
    head = "source_id,band,time,mag,flux,flux_error,rejected_by_photometry\n"
    rows = ("1,G,1700.5,15,100,1,f\n", "1,G,1701.5,15,100,1,F\n", "1,G,1702.5,12,100,1,T\n")
    (tmp_path / "gaia.csv").write_text(head + "".join(rows))
    found, _ = read(tmp_path / "gaia.csv", "auto", tmp_path)
    assert found["1", "G"][:, 1].tolist() == [15, 15]
