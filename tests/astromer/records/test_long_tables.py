from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.light_curves import LightCurves
from astromer.records.long_tables import read_long_table
from astromer.system.errors import DataNotFoundError, LightCurveError


@pytest.fixture
def curves(toy) -> LightCurves:
    return toy.curves([30, 3, 12, 50, 1])


def write(path, curves: LightCurves, ids=None, **other) -> None:
    ids = np.repeat(curves.ids, curves.lengths) if ids is None else ids
    columns = {"id": ids, "mjd": curves.mjd, "mag": curves.mag, "errmag": curves.errmag}
    pq.write_table(pa.table({**columns, **other}), path)


@pytest.mark.parametrize("rows", [1, 7, 30, 33, 1000])
def test_pieces_of_any_size_give_whole_light_curves(tmp_path, curves, rows: int) -> None:
    write(tmp_path / "t.parquet", curves)
    got = LightCurves.concatenate(list(read_long_table(tmp_path / "t.parquet", rows=rows)))
    assert got.ids.tolist() == curves.ids.tolist()
    for name in ("mjd", "mag", "errmag", "offsets"):
        assert getattr(got, name).tolist() == getattr(curves, name).tolist(), name


@pytest.mark.parametrize("rows", [10, 1000])
def test_a_light_curve_in_two_places_is_told(tmp_path, curves, rows: int) -> None:
    ids = np.repeat(curves.ids, curves.lengths)
    ids[-1] = ids[0]
    write(tmp_path / "t.parquet", curves, ids)
    with pytest.raises(LightCurveError, match="must lie together.*Sort the table by id"):
        list(read_long_table(tmp_path / "t.parquet", rows=rows))


def test_numbers_are_ids_and_null_errors_unknown(tmp_path, curves) -> None:
    errmag = pa.array([None] * curves.num_observations, pa.float64())
    ids = np.repeat(np.arange(5), curves.lengths)
    write(tmp_path / "t.parquet", curves, ids, errmag=errmag)
    got = LightCurves.concatenate(list(read_long_table(tmp_path / "t.parquet")))
    assert got.ids.tolist() == ["0", "1", "2", "3", "4"]
    assert np.isnan(got.errmag).all()


def test_a_file_that_is_no_table_is_told(tmp_path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(DataNotFoundError, match="a table that can be read"):
        list(read_long_table(tmp_path / "t.parquet"))
