from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from astromer.commands.create_records import main
from astromer.light_curves import LightCurves
from astromer.records.sources import shards, tables
from astromer.records.sources.survey import read_curves
from astromer.records.survey_config import default_config
from astromer.system.errors import (
    DataAnomalyError,
    RecordError,
    UsageError,
)


def long_table(curves, *, bands: str = "", shuffled: bool = False) -> pa.Table:
    rows = [
        (name, "AB"[number % 2], band, *row)
        for number, (name, curve) in enumerate(curves.items())
        for band in bands or "V"
        for row in zip(curve["mjd"], curve["mag"], curve["errmag"], strict=True)
    ]
    if shuffled:
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    columns = [pa.array(values) for values in zip(*rows, strict=True)]
    names = ["object_id", "Class", "band", "MJD", "magnitude", "err"]
    table = pa.table(columns, names=names)
    for name in ("magnitude", "err"):
        table = table.set_column(names.index(name), name, table.column(name).cast(pa.float32()))
    return table if bands else table.drop(["band"])


def write(table: pa.Table, path):
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=20)
    elif path.suffix == ".csv":
        csv.write_csv(table, path)
    else:
        from astropy.table import Table

        Table({name: np.array(table[name].to_pylist()) for name in table.column_names}).write(path)
    return path


@pytest.mark.parametrize("suffix", ["parquet", "csv", "fits"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_single_table_needs_no_metadata(tmp_path, survey, suffix, shuffled):
    curves = survey.values()
    path = write(long_table(curves, shuffled=shuffled), tmp_path / f"long.{suffix}")
    summary, found = survey.convert(path)
    if suffix == "fits":  # long_table's float32 became float64 in a list; the values are the same
        curves = {name: {k: np.asarray(v) for k, v in c.items()} for name, c in curves.items()}
    survey.check(found, curves)
    assert {name: found[name][0][3] for name in curves} == {
        name: "AB"[number % 2] for number, name in enumerate(curves)
    }
    assert summary["input"]["classes"] == {"A": 5, "B": 4}
    config = (tmp_path / f"long.{suffix}-out" / "fold_0" / "config.toml").read_text()
    assert '["newID", "ID", "Class", "Label"]' in config


def test_bands_are_light_curves_of_their_own_in_one_subset(tmp_path, survey):
    curves = survey.values()
    path = write(long_table(curves, bands="gri", shuffled=True), tmp_path / "long.csv")
    summary, found = survey.convert(path)
    assert {name: len(parts) for name, parts in found.items()} == dict.fromkeys(curves, 3)
    assert summary["written"] == {
        "light_curves": 27,
        "stars": 9,
        "observations": 3 * sum(len(c["mjd"]) for c in curves.values()),
        "filled_errors": 0,
    }
    parts = summary["folds"]["fold_0"].values()
    assert all(part["light_curves"] == 3 * part["stars"] for part in parts)
    summary, found = survey.convert(path, "--band", "r")
    survey.check(found, curves)
    summary, _ = survey.convert(path, "--band", "r", "--band", "g")
    assert summary["written"]["light_curves"] == 18
    with pytest.raises(UsageError, match=r"no light curve in z\. The bands of .* are g, i, r\."):
        survey.convert(path, "--band", "g", "z")
    path = write(long_table(curves), tmp_path / "bandless.csv")
    with pytest.raises(UsageError, match="has no column of bands"):
        survey.convert(path, "--band", "g")


@pytest.mark.parametrize("with_bands", [False, True])
def test_metadata_of_stars_or_of_their_bands(tmp_path, survey, with_bands):
    curves = survey.values()
    path = write(long_table(curves, bands="gr").drop(["Class"]), tmp_path / "long.parquet")
    rows = [
        (name, "XY"[number % 2], band)
        for number, name in enumerate([*curves, "absent"])
        for band in ("gr" if with_bands else "-")
    ]
    names = ("star", "Class", "Band") if with_bands else ("star", "Class")
    columns = {n: list(v) for n, v in zip(names, zip(*rows))}
    metadata = tmp_path / "stars.csv"
    csv.write_csv(pa.table(columns), metadata)
    summary, found = survey.convert(path, "--metadata", str(metadata))
    assert {name: len(parts) for name, parts in found.items()} == dict.fromkeys(curves, 2)
    assert summary["written"]["stars"] == 9
    assert summary["dropped_light_curves"]["without_observations"] == (2 if with_bands else 1)
    assert {name: parts[0][3] for name, parts in found.items()} == {
        name: "XY"[number % 2] for number, name in enumerate(curves)
    }
    assert "for instance absent" in summary["notes"][0]


def test_rows_of_two_bands_without_a_band_are_refused(tmp_path, survey):
    path = write(long_table(survey.values()), tmp_path / "long.csv")
    metadata = survey.write(tmp_path / "m.csv", "ID,Band\nOGLE-LMC.000,g\nOGLE-LMC.000,r\n")
    with pytest.raises(DataAnomalyError, match="2 rows for 'OGLE-LMC.000'.*band column"):
        survey.convert(path, "--metadata", str(metadata))


def test_leading_zeros_of_ids_are_kept(tmp_path, survey):
    curves = {f"{i:05d}": curve for i, curve in enumerate(survey.values().values())}
    path = write(long_table(curves), tmp_path / "long.csv")
    _, found = survey.convert(path)
    survey.check(found, curves)


def test_metadata_may_lack_new_ids(tmp_path, survey, make):
    curves = survey.values()
    folder = tmp_path / "survey"
    (folder / "light_curves").mkdir(parents=True)
    table = long_table(curves).rename_columns(["ID", "Class", "hjd", "mag", "e_mag"])
    pq.write_table(table, folder / "light_curves" / "a.parquet")
    pq.write_table(pa.table({"ID": list(curves)}), folder / "metadata.parquet")
    _, found = survey.convert(folder)
    survey.check(found, curves)


def test_a_table_without_ids_or_rows_is_refused(tmp_path, survey):
    path = write(long_table(survey.values()).drop(["object_id"]), tmp_path / "long.parquet")
    with pytest.raises(DataAnomalyError, match="no column with the objects' ids"):
        survey.convert(path)
    with pytest.raises(DataAnomalyError, match="has no rows"):
        survey.convert(survey.write(tmp_path / "empty.csv", "# nothing\n"))


def test_a_bad_line_far_down_is_named(tmp_path, survey, monkeypatch):
    from astromer.records.sources import text_tables

    monkeypatch.setattr(text_tables, "_BLOCK_BYTES", 200)
    lines = ["id,mjd,mag,err", *(f"a,{i},12.5,0.1" for i in range(500))]
    lines[400] = "a,400,bright,0.1"
    path = survey.write(tmp_path / "long.csv", "\n".join(lines))
    with pytest.raises(RecordError, match="long.csv, line 401: mag must be a number, got 'bright'"):
        main(["--data", str(path), "--output", str(tmp_path / "out")])
    assert not list((tmp_path / "out").iterdir())


@pytest.fixture
def rows(request, monkeypatch) -> int:
    """Rows that are read at a time."""
    monkeypatch.setattr(tables, "_ROWS", request.param)
    monkeypatch.setattr(shards, "_CHUNK_ROWS", request.param)
    return request.param


@pytest.fixture
def curves(toy) -> LightCurves:
    return toy.curves([30, 3, 12, 50, 1])


def read_long_table(path, **options) -> LightCurves:
    parts = read_curves(default_config(path), path.parent, progress=False, **options)
    return LightCurves.concatenate(list(parts))


def write_table(path, curves: LightCurves, ids=None, **other) -> None:
    ids = np.repeat(curves.ids, curves.lengths) if ids is None else ids
    columns = {"id": ids, "mjd": curves.mjd, "mag": curves.mag, "errmag": curves.errmag}
    pq.write_table(pa.table({**columns, **other}), path)


@pytest.mark.parametrize("rows", [1, 7, 30, 33, 1000], indirect=True)
def test_pieces_of_any_size_give_whole_light_curves(tmp_path, curves, rows: int) -> None:
    write_table(tmp_path / "t.parquet", curves)
    got = read_long_table(tmp_path / "t.parquet")
    assert got.ids.tolist() == curves.ids.tolist()
    for name in ("mjd", "mag", "errmag", "offsets"):
        assert getattr(got, name).tolist() == getattr(curves, name).tolist(), name


@pytest.mark.parametrize("rows", [10, 1000], indirect=True)
def test_a_light_curve_in_two_places_is_joined(tmp_path, curves, rows: int) -> None:
    ids = np.repeat(curves.ids, curves.lengths)
    ids[-1] = ids[0]
    write_table(tmp_path / "t.parquet", curves, ids)
    got = read_long_table(tmp_path / "t.parquet")
    assert got.ids.tolist() == curves.ids[:-1].tolist()
    assert got.lengths.tolist() == [31, 3, 12, 50]
    assert got.mjd[30] == curves.mjd[-1]


@pytest.mark.parametrize("rows", [1000], indirect=True)
def test_numbers_are_ids_and_null_errors_unknown(tmp_path, curves, rows: int) -> None:
    errmag = pa.array([None] * curves.num_observations, pa.float64())
    ids = np.repeat(np.arange(5), curves.lengths)
    write_table(tmp_path / "t.parquet", curves, ids, errmag=errmag)
    got = read_long_table(tmp_path / "t.parquet")
    assert got.ids.tolist() == ["0", "1", "2", "3", "4"]
    assert np.isnan(got.errmag).all()


def test_columns_have_usual_names_and_ids_stay_as_written(tmp_path) -> None:
    table = (
        "object_id,HJD,magnitude,e_mag\n007,59000.5,15.5,0.1\n007,59001,15.25,\n8,59000,14,0.2\n"
    )
    (tmp_path / "t.csv").write_text(table)
    got = read_long_table(tmp_path / "t.csv")
    assert got.ids.tolist() == ["007", "8"]
    assert got.lengths.tolist() == [2, 1]
    assert got.mjd.tolist() == [59000.5, 59001, 59000]
    assert got.mag.tolist() == [15.5, 15.25, 14]
    assert np.isnan(got.errmag).tolist() == [False, True, False]


def test_rows_without_an_id_are_left_out_and_counted(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("id,mjd,mag\na,1,2\n,1,2\n b ,3,4\n")
    lines: list[str] = []
    got = read_long_table(tmp_path / "t.csv", announce=lines.extend)
    assert got.ids.tolist() == ["a", "b"]
    assert "left out     1 missing id" in lines


def test_a_value_that_is_no_number_is_named(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("id,mjd,mag\na,1,2\na,1,bright\n")
    with pytest.raises(RecordError, match="t.csv, line 3: mag must be a number, got 'bright'"):
        read_long_table(tmp_path / "t.csv")


def test_a_file_that_is_no_table_is_told(tmp_path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(RecordError, match="cannot be read as a Parquet table"):
        read_long_table(tmp_path / "t.parquet")
