"""The benchmark of what embeddings find, on a survey of a few made stars."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.commands import embed
from astromer.records.synthetic.built_in import make_survey
from tools.benchmarks import discoveries

pytestmark = [pytest.mark.tools, pytest.mark.slow]


def test_both_tables(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(discoveries, "_LEAST_IN_CLASS", 3)
    curves = make_survey(60, 1)
    names = np.repeat(curves.ids, curves.lengths)
    columns = {"id": names, "mjd": curves.mjd, "mag": curves.mag, "errmag": curves.errmag}
    data, table = tmp_path / "survey.parquet", tmp_path / "e.parquet"
    pq.write_table(pa.table(columns), data)
    embed.main(["--data", str(data), "--out", str(table)])
    made = pq.read_table(table)
    place = made.schema.get_field_index("class")
    classes = dict(zip(curves.ids.tolist(), curves.class_names.tolist()))
    known = pa.array([classes[name] for name in made["id"].to_pylist()])
    pq.write_table(made.set_column(place, made.schema.field("class"), known), table)
    capsys.readouterr()
    given = ["--embeddings", str(table), "--data", str(data), "--other", str(data), "--seeds", "1"]
    discoveries.main(given)
    said = capsys.readouterr().out
    assert "| all | 60 |" in said
    assert "| RRab |" in said
    assert "of 5 in the first 20 on average" in said
    assert "few points |" in said.splitlines()[-3]
