from __future__ import annotations

import pytest

from astromer.commands.merge_folds import main
from astromer.records.fold import SPLITS, Fold, read_processing
from astromer.records.reader import read_light_curves
from astromer.system.errors import DataNotFoundError, UsageError
from astromer.system.untrusted_files import tomllib
from tests.pipeline.folds import write_with_writer

CONFIG = """[id_column]
value = "ID"
dtype = "string"

[context_features]
path = "metadata.parquet"
value = {names}
dtypes = {kinds}

[processing]
missing_errors = "{policy}"
"""


@pytest.fixture
def folds(toy, tmp_path):
    """Two surveys of six light curves each."""
    places = []
    described = {
        "north": (["ID", "Class", "field"], ["string", "string", "integer"], "refuse"),
        "south": (["ID", "Class", "field"], ["string", "string", "string"], "constant"),
    }
    for seed, (name, (names, kinds, policy)) in enumerate(described.items()):
        curves = toy.curves([30, 20, 12, 25, 9, 40], seed=seed)
        splits = {
            split: [(curves[i], {"ID": f"{name}-{i}"}) for i in (2 * number, 2 * number + 1)]
            for number, split in enumerate(SPLITS)
        }
        config = CONFIG.format(names=names, kinds=kinds, policy=policy).replace("'", '"')
        write_with_writer(tmp_path / name / "fold_0", splits, config)
        places.append(tmp_path / name / "fold_0")
    return places


def test_each_split_holds_the_records_of_both(folds, tmp_path, capsys):
    output = tmp_path / "both"
    main(["--data", *map(str, folds), "--output", str(output)])
    merged = Fold.open(output)
    for split in SPLITS:
        assert [file.name for file in merged.files[split]] == ["north_0.record", "south_0.record"]
        expected = [
            name
            for fold in folds
            for name in read_light_curves(Fold.open(fold).files[split]).ids.tolist()
        ]
        assert read_light_curves(merged.files[split]).ids.tolist() == expected
    assert f"next: astromer validate --data {output}" in capsys.readouterr().out


def test_the_config_names_what_all_have_alike(folds, tmp_path):
    output = tmp_path / "both"
    main(["--data", *map(str, folds), "--output", str(output)])
    config = tomllib.loads((output / "train" / "config.toml").read_text())
    assert config["context_features"]["value"] == ["ID", "Class"]
    assert config["sequential_features"]["value"] == ["mjd", "mag", "errmag"]
    assert read_processing(output / "config.toml") == {
        "north": {"missing_errors": "refuse"},
        "south": {"missing_errors": "constant"},
    }


def test_folds_without_configs_are_joined_too(folds, tmp_path):
    for fold in folds:
        for config in fold.rglob("config.toml"):
            config.unlink()
    output = tmp_path / "both"
    main(["--data", *map(str, folds), "--output", str(output)])
    assert not list(output.rglob("config.toml"))
    assert len(read_light_curves(Fold.open(output).files["test"])) == 4


def test_mistakes_leave_nothing_behind(folds, tmp_path):
    output = tmp_path / "both"
    with pytest.raises(UsageError, match="two folds or more"):
        main(["--data", str(folds[0]), "--output", str(output)])
    with pytest.raises(UsageError, match="different folders"):
        main(["--data", str(folds[0]), str(folds[0]), "--output", str(output)])
    with pytest.raises(DataNotFoundError, match="does not exist"):
        main(["--data", str(folds[0]), str(tmp_path / "none"), "--output", str(output)])
    folds[1].joinpath("config.toml").write_text("[")
    with pytest.raises(UsageError, match="cannot be read as TOML"):
        main(["--data", *map(str, folds), "--output", str(output)])
    assert not output.exists()
    folds[1].joinpath("config.toml").unlink()
    output.mkdir()
    (output / "mine").touch()
    with pytest.raises(UsageError, match="not empty"):
        main(["--data", *map(str, folds), "--output", str(output)])
