from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.light_curves import LightCurves
from astromer.records.sources import shards, tables
from astromer.records.sources.long_tables import read_long_table
from astromer.system.errors import DataNotFoundError, LightCurveError


@pytest.fixture
def rows(request, monkeypatch) -> int:
    """Rows that are read at a time."""
    monkeypatch.setattr(tables, "_ROWS", request.param)
    monkeypatch.setattr(shards, "_CHUNK_ROWS", request.param)
    return request.param


@pytest.fixture
def curves(toy) -> LightCurves:
    return toy.curves([30, 3, 12, 50, 1])


def write(path, curves: LightCurves, ids=None, **other) -> None:
    ids = np.repeat(curves.ids, curves.lengths) if ids is None else ids
    columns = {"id": ids, "mjd": curves.mjd, "mag": curves.mag, "errmag": curves.errmag}
    pq.write_table(pa.table({**columns, **other}), path)


@pytest.mark.parametrize("rows", [1, 7, 30, 33, 1000], indirect=True)
def test_pieces_of_any_size_give_whole_light_curves(tmp_path, curves, rows: int) -> None:
    write(tmp_path / "t.parquet", curves)
    got = LightCurves.concatenate(list(read_long_table(tmp_path / "t.parquet")))
    assert got.ids.tolist() == curves.ids.tolist()
    for name in ("mjd", "mag", "errmag", "offsets"):
        assert getattr(got, name).tolist() == getattr(curves, name).tolist(), name


@pytest.mark.parametrize("rows", [10, 1000], indirect=True)
def test_a_light_curve_in_two_places_is_told(tmp_path, curves, rows: int) -> None:
    ids = np.repeat(curves.ids, curves.lengths)
    ids[-1] = ids[0]
    write(tmp_path / "t.parquet", curves, ids)
    with pytest.raises(LightCurveError, match="must lie together.*Sort the table by id"):
        list(read_long_table(tmp_path / "t.parquet"))


def test_numbers_are_ids_and_null_errors_unknown(tmp_path, curves) -> None:
    errmag = pa.array([None] * curves.num_observations, pa.float64())
    ids = np.repeat(np.arange(5), curves.lengths)
    write(tmp_path / "t.parquet", curves, ids, errmag=errmag)
    got = LightCurves.concatenate(list(read_long_table(tmp_path / "t.parquet")))
    assert got.ids.tolist() == ["0", "1", "2", "3", "4"]
    assert np.isnan(got.errmag).all()


def test_columns_have_usual_names_and_ids_stay_as_written(tmp_path) -> None:
    table = (
        "object_id,HJD,magnitude,e_mag\n007,59000.5,15.5,0.1\n007,59001,15.25,\n8,59000,14,0.2\n"
    )
    (tmp_path / "t.csv").write_text(table)
    (got,) = read_long_table(tmp_path / "t.csv")
    assert got.ids.tolist() == ["007", "8"]
    assert got.lengths.tolist() == [2, 1]
    assert got.mjd.tolist() == [59000.5, 59001, 59000]
    assert got.mag.tolist() == [15.5, 15.25, 14]
    assert np.isnan(got.errmag).tolist() == [False, True, False]


def test_rows_without_an_id_are_refused(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("id,mjd,mag\na,1,2\n,1,2\n")
    with pytest.raises(LightCurveError, match="must have an id"):
        list(read_long_table(tmp_path / "t.csv"))


def test_a_value_that_is_no_number_is_named(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("id,mjd,mag\na,1,2\na,1,bright\n")
    with pytest.raises(
        DataNotFoundError, match="t.csv, line 3: mag must be a number, got 'bright'"
    ):
        list(read_long_table(tmp_path / "t.csv"))


def test_a_file_that_is_no_table_is_told(tmp_path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(DataNotFoundError, match="a table that can be read"):
        list(read_long_table(tmp_path / "t.parquet"))
