from __future__ import annotations

import pytest

from astromer.light_curves import LightCurve
from astromer.records.fold import Fold
from astromer.records.reader import read_light_curves
from astromer.system.errors import UsageError
from tests.pipeline.folds import write_with_writer


@pytest.fixture
def splits(make):
    def curves(count, first):
        for seed in range(first, first + count):
            yield LightCurve(**make.series(6, seed)), {"ID": f"s{seed}"}

    return lambda: {"train": curves(5, 0), "validation": curves(2, 5), "test": curves(1, 7)}


def test_a_written_fold_opens_and_is_cut_into_shards(tmp_path, splits):
    counts = write_with_writer(tmp_path / "fold_0", splits(), "[a]\n", elements_per_shard=2)
    assert counts == {"train": 5, "validation": 2, "test": 1}
    fold = Fold.open(tmp_path / "fold_0")
    assert [f.name for f in fold.files["train"]] == ["0.record", "1.record", "2.record"]
    assert read_light_curves(fold.files["train"]).ids.tolist() == ["s0", "s1", "s2", "s3", "s4"]
    assert (tmp_path / "fold_0" / "config.toml").read_text() == "[a]\n"
    assert (tmp_path / "fold_0" / "test" / "config.toml").read_text() == "[a]\n"
    assert [p.name for p in tmp_path.iterdir()] == ["fold_0"]


def test_what_is_there_is_replaced_only_on_demand(tmp_path, splits):
    write_with_writer(tmp_path / "fold_0", splits(), "old")
    with pytest.raises(UsageError, match="not empty"):
        write_with_writer(tmp_path / "fold_0", splits(), "new")
    assert (tmp_path / "fold_0" / "config.toml").read_text() == "old"
    write_with_writer(tmp_path / "fold_0", splits(), "new", overwrite=True)
    assert (tmp_path / "fold_0" / "config.toml").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["fold_0"]


def test_a_failure_leaves_nothing_new_and_nothing_broken(tmp_path, splits):
    def interrupted():
        yield from splits()["train"]
        raise KeyboardInterrupt

    write_with_writer(tmp_path / "fold_0", splits(), "old")
    with pytest.raises(KeyboardInterrupt):
        write_with_writer(
            tmp_path / "fold_0", {**splits(), "train": interrupted()}, "new", overwrite=True
        )
    assert [p.name for p in tmp_path.iterdir()] == ["fold_0"]
    assert len(read_light_curves(Fold.open(tmp_path / "fold_0").files["train"])) == 5
