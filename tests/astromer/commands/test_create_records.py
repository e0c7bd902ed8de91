from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.commands.create_records import main
from astromer.records.fold import SPLITS, Fold
from astromer.system.errors import (
    AstromerError,
    DataAnomalyError,
    DataNotFoundError,
    LightCurveError,
    RecordError,
    UsageError,
)


@pytest.fixture(scope="module")
def make(request):
    """The helpers of the record tests."""
    import importlib.util

    path = Path(__file__).parents[1] / "records" / "conftest.py"
    spec = importlib.util.spec_from_file_location("record_helpers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stars(make, count: int = 30, **extra) -> list[dict]:
    return [{**make.series(12 + i, seed=i), **extra} for i in range(count)]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def contents(make, fold: Path) -> dict[str, dict]:
    opened = Fold.open(fold)
    return {split: make.read_all(opened.files[split]) for split in SPLITS}


def times_of(example) -> np.ndarray:
    lists = example.feature_lists.feature_list
    parts = (lists[name].feature[0].float_list.value for name in ("mjd", "mjd_residual"))
    return sum(np.asarray(part, np.float64) for part in parts)


def test_every_curve_arrives_whole_in_one_subset(tmp_path, make):
    curves = stars(make)
    survey = make.write_survey(tmp_path / "survey", curves)
    assert main(["--data", str(survey), "--output", str(tmp_path / "out")]) == 0
    found = contents(make, tmp_path / "out" / "fold_0")
    assert {split: len(part) for split, part in found.items()} == {
        "train": 18,
        "validation": 6,
        "test": 6,
    }
    together = {name: example for part in found.values() for name, example in part.items()}
    assert len(together) == 30
    for i, curve in enumerate(curves):
        example = together[f"star-{i}/V"]
        np.testing.assert_allclose(times_of(example), curve["mjd"], rtol=0, atol=1e-9)
        values = example.feature_lists.feature_list["errmag"].feature[0].float_list.value
        np.testing.assert_array_equal(np.float32(values), curve["errmag"])
        context = example.context.feature
        assert context["newID"].int64_list.value[:] == [i]
        assert context["Label"].int64_list.value[:] == [i % 2]
        assert context["Class"].bytes_list.value[0].decode() == "AB"[i % 2]
        assert context["shard"].int64_list.value[:] == [i // 8]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["written"]["light_curves"] == 30
    assert summary["folds"]["fold_0"]["test"]["classes"] == {"A": 3, "B": 3}
    assert "[context_features]" in (tmp_path / "out/fold_0/train/config.toml").read_text()


def test_seed_alone_decides_the_bytes(tmp_path, make):
    survey = make.write_survey(tmp_path / "survey", stars(make))

    def files(name, *options):
        output = str(tmp_path / name)
        main(["--data", str(survey), "--output", output, "--folds", "2", *options])
        return files_of(tmp_path / name)

    first = files("a", "--njobs", "1")
    assert files("b", "--njobs", "4") == first
    other = files("c", "--seed", "7")
    assert other.keys() == first.keys()
    assert other["fold_0/test/0.record"] != first["fold_0/test/0.record"]
    assert first["fold_1/test/0.record"] != first["fold_0/test/0.record"]
    sharded = files("d", "--elements-per-shard", "5")
    names = [name for name in sharded if name.startswith("fold_0/train") and "record" in name]
    assert len(names) == 4
    assert b"".join(sharded[name] for name in names) == first["fold_0/train/0.record"]


@pytest.mark.parametrize("suffixed", [False, True])
def test_bands_of_a_star_stay_together(tmp_path, make, suffixed):
    curves = [
        {**make.series(10, seed=2 * i + j), "ID": f"s{i}" + f"_{band}" * suffixed, "Band": band}
        for i in range(20)
        for j, band in enumerate("RB")
    ]
    survey = make.write_survey(tmp_path / "survey", curves)
    main(["--data", str(survey), "--output", str(tmp_path / "out"), "--folds", "3"])
    for number in range(3):
        found = contents(make, tmp_path / "out" / f"fold_{number}")
        owners = [{name.split("/")[0].split("_")[0] for name in part} for part in found.values()]
        assert sum(len(part) for part in found.values()) == 40
        assert sum(len(owner) for owner in owners) == len(set.union(*owners)) == 20


def test_bad_observations_are_dropped_counted_and_sorted_out(tmp_path, make, capsys):
    curves = stars(make)
    curves[3]["mag"][2] = np.nan
    curves[4]["errmag"][:2] = 1.5
    curves[5]["mjd"][1] = curves[5]["mjd"][0]
    curves[6] = {name: values[::-1].copy() for name, values in curves[6].items()}
    curves[7]["errmag"][4:] = 0
    survey = make.write_survey(tmp_path / "survey", curves, metadata={"Label": [None, *range(29)]})
    table = pq.read_table(survey / "metadata.parquet")
    extra = table.slice(0, 1).set_column(0, "newID", pa.array([99]))
    pq.write_table(pa.concat_tables([table.slice(1), extra]), survey / "metadata.parquet")
    main(["--data", str(survey), "--output", str(tmp_path / "out")])
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["dropped_observations"] == {
        "unknown_light_curve": 12,
        "flagged": 0,
        "other_band": 0,
        "non_positive_flux": 0,
        "not_finite": 1,
        "missing_errmag": 0,
        "errmag_out_of_range": 2 + 15,
        "mag_out_of_range": 0,
        "mjd_out_of_range": 0,
        "duplicate_time": 1,
        "short_curve": 4,
    }
    assert summary["dropped_light_curves"] == {
        "other_band": 0,
        "without_observations": 1,
        "nothing_left": 0,
        "too_short": 1,
    }
    total = summary["input"]["observations"]
    assert total == sum(len(curve["mjd"]) for curve in curves)
    dropped = sum(summary["dropped_observations"].values())
    assert summary["written"]["observations"] == total - dropped
    parts = contents(make, tmp_path / "out" / "fold_0").values()
    together = {name: example for part in parts for name, example in part.items()}
    assert len(together) == 28
    assert all((np.diff(times_of(example)) > 0).all() for example in together.values())
    assert "28" in capsys.readouterr().out


def test_rows_of_different_curves_may_be_mixed(tmp_path, make):
    curves = stars(make)
    tidy = make.write_survey(tmp_path / "tidy", curves, curves_per_shard=15)
    mixed = make.write_survey(tmp_path / "mixed", curves, curves_per_shard=15, shuffle=True)
    for survey in (tidy, mixed):
        main(["--data", str(survey), "--output", str(survey / "out")])

    def by_name(survey):
        return contents(make, survey / "out" / "fold_0")

    assert by_name(tidy) == by_name(mixed)


def test_chunks_smaller_than_a_curve_change_nothing(tmp_path, make, monkeypatch):
    from astromer.records.sources import shards

    survey = make.write_survey(tmp_path / "survey", stars(make), shuffle=False)
    mixed = make.write_survey(tmp_path / "mixed", stars(make), shuffle=True)
    for folder in (survey, mixed):
        main(["--data", str(folder), "--output", str(folder / "large")])
    monkeypatch.setattr(shards, "_BATCH_ROWS", 7)
    monkeypatch.setattr(shards, "_CHUNK_ROWS", 9)
    monkeypatch.setattr(shards, "_BUCKET_ROWS", 40)
    for folder in (survey, mixed):
        main(["--data", str(folder), "--output", str(folder / "small")])
        assert files_of(folder / "small") == files_of(folder / "large")


CONFIG = """
[id_column]
value = "oid"
dtype = "string"
[target]
path = "records"
[context_features]
path = "stars.parquet"
test_path = "held_out.parquet"
value = ["oid", "ID", "Period"]
dtypes = ["string", "string", "float"]
[sequential_features]
path = "obs"
value = ["hjd", "magnitude", "e_mag"]
dtypes = ["float", "float", "float"]
"""


def test_a_config_names_columns_and_a_separate_test_set(tmp_path, make, monkeypatch):
    curves = stars(make, 12)
    (tmp_path / "obs").mkdir()
    names = [f"c{i}" for i in range(12)]
    table = pa.table(
        {
            "oid": np.concatenate([[n] * len(c["mjd"]) for n, c in zip(names, curves)]),
            "e_mag": np.concatenate([c["errmag"] for c in curves]).astype(np.float64),
            "hjd": np.concatenate([c["mjd"] for c in curves]),
            "magnitude": np.concatenate([c["mag"] for c in curves]),
            "flag": np.concatenate([np.zeros(len(c["mjd"]), np.int8) for c in curves]),
        }
    )
    pq.write_table(table, tmp_path / "obs" / "everything.parquet")
    everyone = pa.table({"Period": [1.5] * 12, "oid": names, "ID": [f"s{i}" for i in range(12)]})
    pq.write_table(everyone, tmp_path / "stars.parquet")
    pq.write_table(everyone.slice(9), tmp_path / "held_out.parquet")
    (tmp_path / "config.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    main(["--data", str(tmp_path)])
    found = contents(make, tmp_path / "records" / "fold_0")
    assert set(found["test"]) == {"s9", "s10", "s11"}
    assert len(found["train"]) == 7
    assert len(found["validation"]) == 2
    example = found["test"]["s10"]
    assert example.context.feature["oid"].bytes_list.value[:] == [b"c10"]
    assert example.context.feature["Period"].float_list.value[:] == [1.5]
    np.testing.assert_allclose(times_of(example), curves[10]["mjd"], rtol=0, atol=1e-9)


def test_existing_folds_are_kept_unless_told_otherwise(tmp_path, make):
    survey = make.write_survey(tmp_path / "survey", stars(make))
    command = ["--data", str(survey), "--output", str(tmp_path / "out")]
    main(command)
    before = files_of(tmp_path / "out")
    with pytest.raises(UsageError, match="--overwrite"):
        main([*command, "--seed", "9"])
    assert files_of(tmp_path / "out") == before
    main([*command, "--seed", "9", "--overwrite"])
    assert files_of(tmp_path / "out").keys() == before.keys()
    assert files_of(tmp_path / "out") != before


def spoil_shards(survey: Path, column: str, values) -> None:
    for path in sorted((survey / "light_curves").iterdir()):
        table = pq.read_table(path)
        place = table.column_names.index(column)
        if values is None:
            table = table.drop([column])
        else:
            table = table.set_column(place, column, pa.array([values] * table.num_rows))
        pq.write_table(table, path)


def respell(survey: Path, column: str, values) -> None:
    table = pq.read_table(survey / "metadata.parquet")
    place = table.column_names.index(column)
    table = table.drop([column]) if values is None else table.set_column(place, column, [values])
    pq.write_table(table, survey / "metadata.parquet")


SPOILT = {
    "no metadata": (
        lambda s: (s / "metadata.parquet").unlink(),
        DataNotFoundError,
        "metadata.parquet",
    ),
    "metadata is text": (
        lambda s: (s / "metadata.parquet").write_text("newID,ID\n"),
        RecordError,
        "Parquet",
    ),
    "label is text": (
        lambda s: respell(s, "Label", ["1"] * 30),
        DataAnomalyError,
        "Label must be integer",
    ),
    "id twice": (
        lambda s: respell(s, "newID", [0, 0, *range(1, 29)]),
        DataAnomalyError,
        "newID must be unique",
    ),
    "id missing": (
        lambda s: respell(s, "newID", [None, *range(29)]),
        DataAnomalyError,
        "1 row.* no newID",
    ),
    "ids of another kind": (
        lambda s: spoil_shards(s, "newID", "star"),
        DataAnomalyError,
        "another type",
    ),
    "shard missing": (
        lambda s: (s / "light_curves" / "shard_002.parquet").unlink(),
        DataNotFoundError,
        r"lacks shard\(s\) 2",
    ),
    "no shards": (
        lambda s: [p.unlink() for p in (s / "light_curves").iterdir()],
        DataNotFoundError,
        "no .*parquet shards",
    ),
    "shard cut off": (
        lambda s: (s / "light_curves" / "shard_001.parquet").write_bytes(b"PAR1xxx"),
        RecordError,
        "shard_001.parquet",
    ),
    "series column missing": (lambda s: spoil_shards(s, "mag", None), DataAnomalyError, "mag"),
    "series is text": (
        lambda s: spoil_shards(s, "mag", "bright"),
        DataAnomalyError,
        "mag must hold numbers",
    ),
    "errors all NaN": (
        lambda s: spoil_shards(s, "errmag", float("nan")),
        LightCurveError,
        r"missing errmag.*Nothing was written.*--missing-errors constant",
    ),
    "nothing matches": (
        lambda s: respell(s, "newID", list(range(100, 130))),
        LightCurveError,
        "30 light curve.s. without observations",
    ),
    "curve in two shards": (
        lambda s: pq.write_table(
            pq.read_table(s / "light_curves" / "shard_000.parquet"),
            s / "light_curves" / "shard_001.parquet",
        ),
        DataAnomalyError,
        "newID 0 has observations in",
    ),
    "one star": (
        lambda s: respell(s, "ID", ["same"] * 30),
        UsageError,
        r"1 star\(s\)",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_survey_is_refused_in_a_line_and_nothing_is_written(tmp_path, make, case):
    spoil, error, expected = SPOILT[case]
    survey = make.write_survey(tmp_path / "survey", stars(make))
    spoil(survey)
    with pytest.raises(error, match=expected) as caught:
        main(["--data", str(survey), "--output", str(tmp_path / "out")])
    assert isinstance(caught.value, AstromerError)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    output = tmp_path / "out"
    assert not output.exists() or not list(output.iterdir())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--folds", "0"], "--folds"),
        (["--njobs", "-1"], "--njobs"),
        (["--elements-per-shard", "0"], "--elements-per-shard"),
        (["--val-frac", "0.5", "--test-frac", "0.5"], "--val-frac"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_options_that_cannot_work_are_refused(tmp_path, options, expected):
    with pytest.raises(UsageError, match=expected):
        main(["--data", str(tmp_path), *options])


def test_missing_folders_are_refused(tmp_path):
    with pytest.raises(DataNotFoundError, match="does not exist"):
        main(["--data", str(tmp_path / "nowhere")])
    (tmp_path / "file").touch()
    with pytest.raises(DataNotFoundError, match="is a file of no known kind"):
        main(["--data", str(tmp_path / "file")])
    with pytest.raises(DataNotFoundError, match="no config file"):
        main(["--data", str(tmp_path), "--config", str(tmp_path / "missing.toml")])


def test_real_curves_of_two_bands(shared, tmp_path, make):
    source = shared / "data" / "macho_sample"
    main(["--data", str(source), "--output", str(tmp_path)])
    found = contents(make, tmp_path / "fold_0")
    owners = [{name.split("/")[0] for name in part} for part in found.values()]
    assert sum(len(part) for part in found.values()) == 49
    assert [len(owner) for owner in owners] == [15, 5, 5]
    assert len(set.union(*owners)) == 25
