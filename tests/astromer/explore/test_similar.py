"""Nearest neighbours in a table of embeddings, and what else is done with the table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.commands import similar as program
from astromer.serving.embedder import Embeddings
from astromer.serving.embedding_table import EmbeddingTable
from astromer.system.errors import DataNotFoundError, RecordError, UsageError


def by_hand(table: EmbeddingTable, row: int) -> np.ndarray:
    vectors = table.vectors.astype(np.float64)
    scaled = np.clip((vectors - vectors.mean(axis=0)) / vectors.std(axis=0), -5, 5)
    return np.sqrt(((scaled - scaled[row]) ** 2).mean(axis=1))


def test_the_nearest_are_exact(survey, table_of):
    table = EmbeddingTable(table_of(survey))
    found = table.similar("star-007", 10)
    expected = by_hand(table, 7)
    order = [row for row in np.argsort(expected) if row != 7][:10]
    assert found.positions.tolist() == order
    assert found.ids.tolist() == [f"star-{row:03d}" for row in order]
    np.testing.assert_allclose(found.distances, expected[order], rtol=1e-5)
    classes = table.column("class")
    assert np.mean(classes[found.positions] == classes[7]) > 0.8


def test_several_objects_have_neighbours_together(survey, table_of):
    table = EmbeddingTable(table_of(survey))
    found = table.similar(["star-001", "star-002"], 60)
    expected = np.stack([by_hand(table, 1), by_hand(table, 2)])
    assert len(found) == 58
    np.testing.assert_allclose(found.distances, expected.min(0)[found.positions], rtol=1e-5)
    assert found.nearest_to.tolist() == expected.argmin(axis=0)[found.positions].tolist()
    own = table.similar(vectors=table.vectors[[4]], number=1)
    assert own.ids.tolist() == ["star-004"]
    assert own.distances[0] == 0


def test_embeddings_in_memory_answer_as_the_table(survey, table_of):
    table = EmbeddingTable(table_of(survey))
    embeddings = Embeddings(
        table.ids,
        table.column("mean"),
        table.column("mean"),
        table.column("num_observations"),
        table.column("status"),
        embedding=table.vectors,
    )
    for to in ("star-007", 7):
        assert embeddings.similar(to, 5).ids.tolist() == table.similar("star-007", 5).ids.tolist()
    with pytest.raises(UsageError, match="Received: nobody"):
        embeddings.similar("nobody")


def test_objects_that_were_not_embedded(survey, table_of):
    status = np.zeros(len(survey), np.int32)
    status[3] = 1
    table = EmbeddingTable(table_of(survey, status))
    assert 3 not in table.similar("star-000", 60).positions
    with pytest.raises(UsageError, match="Received: star-003, of status 1"):
        table.similar("star-003")
    with pytest.raises(DataNotFoundError, match="Received: nobody"):
        table.similar("nobody")


@pytest.mark.parametrize("suffix", [".fits", ".vot"])
def test_the_export_holds_the_table(survey, table_of, tmp_path, monkeypatch, suffix):
    Table = pytest.importorskip("astropy.table").Table
    table = EmbeddingTable(table_of(survey))
    monkeypatch.chdir(tmp_path)
    found = Table.read(table.export(f"e{suffix}"))
    assert list(found["id"].astype(str)) == list(survey.ids)
    np.testing.assert_array_equal(np.asarray(found["embedding"]), table.vectors)
    np.testing.assert_allclose(found["period"], survey.periods)
    with pytest.raises(UsageError, match="Received: .*e.doc"):
        table.export(tmp_path / "e.doc")


def test_pandas_and_polars_read_it(survey, table_of):
    polars = pytest.importorskip("polars")
    pandas = pytest.importorskip("pandas")
    path = table_of(survey)
    assert pandas.read_parquet(path)["id"].tolist() == survey.ids.tolist()
    assert polars.read_parquet(path)["embedding"].to_list()[0] == pytest.approx(
        EmbeddingTable(path).vectors[0].tolist()
    )


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and more", "other"])
def test_what_is_no_table_is_refused(tmp_path, content):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "e.parquet"
    if content == "other":
        pq.write_table(pa.table({"id": ["a"]}), path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataNotFoundError if content is None else RecordError, match="--embeddings"):
        EmbeddingTable(path)


@pytest.mark.slow
def test_a_light_curve_in_a_file(survey, tmp_path, capsys):
    """Embedded as the table was, it is nearest to itself."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from astromer.commands import embed

    some = survey.take(np.arange(6))
    ids = np.repeat(some.ids, some.lengths)
    data, table, one = (tmp_path / name for name in ("s.parquet", "e.parquet", "one.parquet"))
    columns = {"mjd": some.mjd, "mag": some.mag, "errmag": some.errmag}
    pq.write_table(pa.table({"id": ids, **columns}), data)
    pq.write_table(pa.table({k: v[ids == "star-004"] for k, v in columns.items()}), one)
    embed.main(["--data", str(data), "--out", str(table), "--export", str(tmp_path / "e.fits")])
    assert (tmp_path / "e.fits").is_file()
    capsys.readouterr()
    program.main(["--embeddings", str(table), "--curve", str(one), "--number", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split()[:2] == ["star-004", "0.000"]


def test_the_program_prints_and_writes(survey, table_of, tmp_path, capsys):
    table, out = table_of(survey), tmp_path / "near.csv"
    program.main(
        ["--embeddings", str(table), "--to", "star-007", "--number", "4", "--out", str(out)]
    )
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["id", "distance", "class", "period", "amplitude"]
    assert len(said) == 5
    assert out.read_text().splitlines()[0] == "id,distance,row"
    with pytest.raises(UsageError, match="Received: neither"):
        program.parse(["--embeddings", str(table)])


def test_tables_of_the_first_schema_have_ids_of_numbers_and_no_metadata(tmp_path) -> None:
    vectors = [[0.0, 1.0], [0.1, 1.0], [3.0, -1.0]]
    columns = {"id": [7, 8, 9], "status": pa.array([0, 0, 0], pa.int32())}
    columns |= {name: pa.array(vectors, pa.list_(pa.float32())) for name in ("mean", "max")}
    pq.write_table(pa.table(columns), tmp_path / "old.parquet")
    table = EmbeddingTable(tmp_path / "old.parquet")
    assert table.similar("7", number=2).ids.tolist() == ["8", "9"]
    with pytest.raises(RecordError, match="must have the column period"):
        table.column("period")
