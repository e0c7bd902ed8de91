"""Planted oddities and artefacts, and the programs that list them."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from astromer.commands import outliers as program
from astromer.explore.outliers import DAILY, FEW_POINTS, JUMP, NOTHING, RESPECTS, find_outliers
from astromer.light_curves import LightCurve, LightCurves
from astromer.serving.embedding_table import EmbeddingTable
from astromer.system.errors import RecordError
from tests.astromer.explore.conftest import pulsator


def with_planted(survey: LightCurves, *planted: LightCurve) -> LightCurves:
    return LightCurves.concatenate([survey, LightCurves.from_curves(planted)])


def test_an_outburst_comes_first_and_is_told_in_words(survey, table_of):
    star = pulsator(70)
    after = star.mjd - star.mjd[90]
    burst = np.where(after >= 0, 3 * np.exp(-np.maximum(after, 0) / 60), 0).astype(np.float32)
    nova = replace(star, mag=star.mag - burst, id="nova", period=np.nan)
    found = find_outliers(table := EmbeddingTable(table_of(with_planted(survey, nova))))
    assert table.ids[found.ranking[0]] == "nova"
    assert found.respect[-1] in ("amplitude", "shape")
    assert found.reason[-1].startswith(f"{found.respect[-1]}: ")
    assert set(found.respect[found.ranking]) <= set(RESPECTS)
    assert found.artefact[-1] == ""


def test_artefacts_have_a_list_of_their_own(survey, table_of):
    later = pulsator(81).mjd > 58500
    jumped = replace(pulsator(81), id="jump")
    jumped = replace(jumped, mag=jumped.mag + np.where(later, 0.9, 0).astype(np.float32))
    few = pulsator(82, count=9)
    daily = replace(pulsator(83, 1.0), id="daily")
    curves = with_planted(survey, few, jumped, daily, pulsator(84))
    status = np.zeros(len(curves), np.int32)
    status[-1] = 1
    found = find_outliers(EmbeddingTable(table_of(curves, status)))
    assert found.artefact[-4:].tolist() == [FEW_POINTS, JUMP, DAILY, NOTHING]
    assert np.isnan(found.score[-4:]).all()
    assert set(found.ranking) | set(found.artefacts) == set(range(len(curves)))
    assert not set(found.ranking) & set(found.artefacts)


def test_noise_is_seldom_as_periodic_next_to_a_day(survey, table_of):
    """A peak that noise has in one star of twenty, but hardly ever there, is one of a day."""
    import pyarrow.parquet as pq

    faint = [replace(pulsator(83, period), id=str(period)) for period in (1.0, 1.0, 1.006)]
    table = pq.read_table(path := table_of(with_planted(survey, *faint)))
    probability = table.column("false_alarm_probability").to_numpy().copy()
    probability[-3:] = 0.05, 0.5, 0.0
    place = table.column_names.index("false_alarm_probability")
    pq.write_table(table.set_column(place, table.field(place), [probability]), path)
    assert find_outliers(EmbeddingTable(path)).artefact[-3:].tolist() == [DAILY, "", ""]


def test_the_program_writes_all_objects(survey, table_of, tmp_path, capsys):
    table = table_of(with_planted(survey, pulsator(82, count=9)))
    out = tmp_path / "all.csv"
    program.main(["--embeddings", str(table), "--number", "3", "--out", str(out)])
    said = capsys.readouterr().out.splitlines()
    assert said[0].split() == ["rank", "id", "score", "reason"]
    assert [line.split()[0] for line in said[1:4]] == ["1", "2", "3"]
    assert said[4] == "artefacts: 1 of 61 (few points 1)"
    rows = list(csv.DictReader(out.open()))
    assert len(rows) == 61
    assert rows[0]["rank"] == "1"
    assert rows[-1]["artefact"] == FEW_POINTS
    assert rows[-1]["rank"] == ""


def test_a_table_without_traits_is_refused(survey, table_of):
    import pyarrow.parquet as pq

    path = table_of(survey)
    pq.write_table(pq.read_table(path).drop(["step_share"]), path)
    with pytest.raises(RecordError, match="column step_share"):
        find_outliers(EmbeddingTable(path))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tables_of_hardly_any_objects(table_of, count):
    curves = LightCurves.from_curves(map(pulsator, range(count)))
    found = find_outliers(EmbeddingTable(table_of(curves)))
    assert len(found.ranking) == count
