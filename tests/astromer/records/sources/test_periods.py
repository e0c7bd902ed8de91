"""Known periods on their way from a survey's tables to its records."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.commands.create_records import main
from astromer.records.fold import SPLITS, Fold
from astromer.records.reader import read_light_curves
from astromer.system.errors import AstromerError, DataNotFoundError
from tests.conftest import SHARED

NAN = float("nan")
GIVEN = [0.57, NAN, 365.25, None, 0.0, -99.0, float("inf"), 1e-3, 1e39, 2.5]
KNOWN = {"s0": 0.57, "s2": 365.25, "s7": 1e-3, "s9": 2.5}
"""Of GIVEN: four periods; two values are missing, four are no positive float32."""


@pytest.fixture
def raw(tmp_path, make):
    def write(name: str = "survey", **metadata):
        curves = [{**make.series(12, seed=i), "ID": f"s{i}"} for i in range(len(GIVEN))]
        return make.survey(tmp_path / name, curves, metadata=metadata)

    return write


def records(survey, make, *options):
    """The summary, and the records by id, of create_records."""
    output = survey.parent / f"{survey.name}-out"
    command = ["--data", str(survey), "--output", str(output), "--overwrite", *options]
    assert main(command) == 0
    summary = json.loads((output / "summary.json").read_text())
    found = make.read_all((output / "fold_0").rglob("*.record"))
    return summary, {name.split("/")[0]: example for name, example in found.items()}, output


def periods_of(found) -> dict[str, float]:
    kept = {}
    for name, example in found.items():
        if "Period" in example.context.feature:
            (kept[name],) = example.context.feature["Period"].float_list.value
    return kept


def float32(periods) -> dict[str, float]:
    return {name: float(np.float32(period)) for name, period in periods.items()}


@pytest.mark.parametrize("name", ["Period", "per", "P_1"])
def test_a_column_of_the_metadata(tmp_path, raw, make, capsys, name):
    survey = raw(**{name: GIVEN})
    if name == "P_1":
        (survey / "config.toml").write_text('[period]\nvalue = "P_1"\n')
    summary, found, output = records(survey, make)
    assert periods_of(found) == float32(KNOWN)
    assert summary["known_periods"] == {
        "source": f"{name} of {survey / 'metadata.parquet'}",
        "light_curves": 4,
        "left_out": 4,
    }
    said = "4 light curve(s) have a known period [days] "
    assert f"{said}({name} of {survey / 'metadata.parquet'}); 4 value(s)" in capsys.readouterr().out
    config = (output / "fold_0" / "config.toml").read_text()
    assert '"shard", "Period"]' in config
    assert name == "Period" or f'"{name}"' not in config
    curves = [read_light_curves(files) for files in Fold.open(output / "fold_0").files.values()]
    read = {n: p for part in curves for n, p in zip(part.ids, part.periods) if p == p}
    assert read == float32(KNOWN)


def test_records_without_a_known_period_are_as_before(tmp_path, raw, make):
    without, before, output = records(raw("a"), make)
    empty, same, other = records(raw("b", Period=[None] * 8 + [0.0, NAN]), make)
    for split in SPLITS:
        name = f"fold_0/{split}/0.record"
        assert (other / name).read_bytes() == (output / name).read_bytes()
    assert periods_of(same) == {}
    assert "known_periods" not in without
    assert (empty["known_periods"]["light_curves"], empty["known_periods"]["left_out"]) == (0, 1)
    _, some, _ = records(raw("c", Period=GIVEN), make)
    for name, example in some.items():
        assert (example == before[name]) == (name not in KNOWN)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("ids", ["newID", "ID"])
def test_a_table_of_their_own(tmp_path, raw, make, suffix, ids):
    names = [f"{'s' * (ids == 'ID')}{i}" for i in reversed(range(len(GIVEN)))]
    path = tmp_path / f"periods.{suffix}"
    if suffix == "csv":
        cells = ["" if p is None else str(p) for p in reversed(GIVEN)]
        rows = "".join(f"{n},{p}\n" for n, p in zip(names, cells, strict=True))
        path.write_text(f"{ids},Period\n{rows}s99,7\n")
    else:
        column = names if ids == "ID" else [int(n) for n in names]
        pq.write_table(pa.table({ids: column, "Period": GIVEN[::-1]}), path)
    survey = raw(Period=[3.0] * len(GIVEN))  # the table that is given counts
    summary, found, _ = records(survey, make, "--periods", str(path))
    assert periods_of(found) == float32(KNOWN)
    assert summary["known_periods"] == {
        "source": f"Period of {path}, joined by {ids}",
        "light_curves": 4,
        "left_out": 4,
    }


def test_a_table_among_files_of_objects_named_in_the_config(tmp_path, survey, make):
    curves = survey.values()
    folder = tmp_path / "data"
    for star, curve in curves.items():
        survey.write(folder / f"{star}.csv", "mjd,mag,errmag\n" + survey.lines(curve))
    rows = "".join(f"{star};{0.5 + i}\n" for i, star in enumerate(curves))
    # A period with a mark of doubt is no number; a second row may repeat the first.
    rows += f"{survey.names[0]};0.5\nother;1.0\n"
    rows = rows.replace(f"{survey.names[1]};1.5", f"{survey.names[1]};1.5:")
    survey.write(folder / "found.csv", "Name;P1\n" + rows)
    survey.write(folder / "config.toml", '[period]\npath = "found.csv"\nvalue = "P1"\n')
    summary, found, output = records(folder, make)
    expected = {name: 0.5 + i for i, name in enumerate(curves) if i != 1}
    assert periods_of(found) == expected
    assert summary["known_periods"]["left_out"] == 1
    # They stay when the records are divided again.
    _, again, _ = records(output / "fold_0", make)
    assert periods_of(again) == expected


def test_a_column_beside_the_described_context_and_a_test_table(tmp_path, raw, make):
    survey = raw(P=GIVEN)
    table = pq.read_table(survey / "metadata.parquet")
    pq.write_table(table.slice(0, 3), survey / "held_out.parquet")
    (survey / "config.toml").write_text(
        '[id_column]\nvalue = "newID"\n[period]\nvalue = "P"\n'
        '[context_features]\ntest_path = "held_out.parquet"\n'
        'value = ["newID", "ID"]\ndtypes = ["integer", "string"]\n'
    )
    _, found, output = records(survey, make)
    assert periods_of(found) == float32(KNOWN)
    held = make.read_all([output / "fold_0" / "test" / "0.record"])
    assert sorted(held) == ["s0", "s1", "s2"]
    assert sorted(held["s0"].context.feature) == ["ID", "Period", "newID"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID,amplitude\ns0,1\n", "(Period) and one of ids. Received: ID, amplitude"),
        ("Period,amplitude\n1,1\n", "(Period) and one of ids. Received: Period, amplitude"),
        ("ID,Period\nx,0.5\n", "Received: other ids, such as ID 'x', where the survey has"),
        ("ID,Period\n", "Received: other ids, such as none"),
        ("ID,Period\ns0,0.5\ns0,1\n", "Received: 0.5 and 1 days for ID 's0'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_one_line(tmp_path, raw, text, expected):
    path = tmp_path / "periods.csv"
    path.write_text(text)
    output = tmp_path / "out"
    with pytest.raises(AstromerError) as caught:
        main(["--data", str(raw()), "--output", str(output), "--periods", str(path)])
    message = str(caught.value)
    assert expected in message
    assert str(path) in message
    assert "\n" not in message
    assert not output.exists() or not list(output.iterdir())


def test_a_table_or_column_that_is_not_there_is_refused(tmp_path, raw):
    survey = raw()
    command = ["--data", str(survey), "--output", str(tmp_path / "out")]
    with pytest.raises(DataNotFoundError, match="no periods file"):
        main([*command, "--periods", str(tmp_path / "none.csv")])
    (survey / "config.toml").write_text('[period]\nvalue = "P"\n')
    with pytest.raises(AstromerError, match=r"metadata\.parquet lacks the column\(s\) P;"):
        main(command)
    (survey / "config.toml").write_text('[period]\npath = "none.csv"\n')
    with pytest.raises(DataNotFoundError, match="the table of periods is missing"):
        main(command)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_the_periods_of_real_stars(tmp_path):
    survey = SHARED / "data" / "macho_sample"
    table = survey / "extra.parquet"
    output = tmp_path / "out"
    assert main(["--data", str(survey), "--output", str(output), "--periods", str(table)]) == 0
    names = pq.read_table(survey / "metadata.parquet").column("ID").to_pylist()
    known = pq.read_table(table).column("Period").to_pylist()
    expected = {name: np.float32(p) for name, p in zip(names, known, strict=True) if p is not None}
    parts = [read_light_curves(files) for files in Fold.open(output / "fold_0").files.values()]
    found = {n: p for part in parts for n, p in zip(part.ids, part.periods) if p == p}
    assert found
    assert found.items() <= {n: float(p) for n, p in expected.items()}.items()
    summary = json.loads((output / "summary.json").read_text())
    assert summary["known_periods"]["light_curves"] == 36
