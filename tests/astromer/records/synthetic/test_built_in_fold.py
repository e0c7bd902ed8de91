"""The survey on disk: readable, reproducible, made once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from astromer.commands.synthetic import main
from astromer.records.config import SyntheticConfig
from astromer.records.fold import SPLITS, Fold
from astromer.records.synthetic.built_in import label_of, make_star, provide_survey, split_of_stars
from astromer.system.errors import UsageError
from astromer.system.text import pipeline_command

SMALL = SyntheticConfig(curves=25, seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("survey") / "made here"
    assert provide_survey(output, SMALL).made
    return output


def test_the_records_hold_the_stars_exactly(output):
    from astromer.records.reader import read_light_curves

    fold = Fold.open(output / "fold_0")
    seen = []
    for split in SPLITS:
        curves = read_light_curves(fold.files[split])
        for curve in (curves[i] for i in range(len(curves))):
            star = make_star(int(curve.id.rsplit("-", 1)[1]), seed=3)
            assert (curve.id, curve.label, curve.class_name) == (
                star.id,
                star.label,
                star.class_name,
            )
            assert np.abs(curve.mjd - star.mjd).max() < 1e-8
            assert np.array_equal(curve.mag, star.mag)
            assert np.array_equal(curve.errmag, star.errmag)
            seen.append(curve.id)
    assert sorted(seen) == [f"SYN-3-{i:06d}" for i in range(25)]


def test_equal_settings_give_equal_bytes_wherever_they_are_written(output, tmp_path):
    provide_survey(tmp_path / "other", SMALL)
    assert contents(tmp_path / "other") == contents(output)


def test_a_complete_survey_is_not_made_again(output):
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    survey = provide_survey(output, SMALL)
    assert not survey.made
    assert sum(survey.curves.values()) == 25
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before


def test_a_damaged_survey_is_made_again(tmp_path):
    provide_survey(tmp_path, SMALL)
    whole = contents(tmp_path)
    (tmp_path / "fold_0" / "train" / "0.record").write_bytes(b"cut off")
    assert provide_survey(tmp_path, SMALL).made
    assert contents(tmp_path) == whole


def test_a_survey_of_other_settings_is_replaced_only_on_request(tmp_path):
    provide_survey(tmp_path, SMALL)
    before = contents(tmp_path)
    other = SyntheticConfig(curves=25, seed=4)
    with pytest.raises(UsageError, match="seed 3, not 4"):
        provide_survey(tmp_path, other)
    assert contents(tmp_path) == before
    assert provide_survey(tmp_path, other, overwrite=True).made
    assert contents(tmp_path) != before
    assert [path.name for path in tmp_path.iterdir()] == ["fold_0"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_no_survey_is_never_replaced(tmp_path, overwrite):
    precious = tmp_path / "fold_0" / "train" / "0.record"
    precious.parent.mkdir(parents=True)
    precious.write_bytes(b"real data")
    with pytest.raises(UsageError, match="no synthetic survey"):
        provide_survey(tmp_path, SMALL, overwrite=overwrite)
    assert precious.read_bytes() == b"real data"


def test_an_interrupted_survey_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(index: int, seed: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("astromer.records.synthetic.built_in.make_star", interrupted)
    with pytest.raises(KeyboardInterrupt):
        provide_survey(tmp_path, SMALL)
    assert list(tmp_path.iterdir()) == []


def test_the_program_says_what_it_made_and_what_comes_next(tmp_path, capsys):
    command = ["--output", str(tmp_path), "--curves", "25", "--seed", "3"]
    main(command)
    first = capsys.readouterr().out
    assert f"made {tmp_path / 'fold_0'}" in first
    assert f"next: {pipeline_command()} --data {tmp_path / 'fold_0'}" in first
    main(command)
    assert "already there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--curves", "0"], "--curves"),
        (["--seed", "-1"], "--seed"),
        (["--val-frac", "1.5"], "--val-frac"),
        (["--test-frac", "nan"], "--test-frac"),
        (["--val-frac", "0.6", "--test-frac", "0.4"], "train on"),
    ],
)
def test_settings_that_cannot_work_are_refused_and_nothing_is_written(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        main(["--output", str(tmp_path / "new"), *options])
    assert not (tmp_path / "new").exists()


def test_split_sizes_are_the_shares():
    counts = Counter(split_of_stars(SyntheticConfig(curves=1000, val_frac=0.3, test_frac=0.1)))
    assert counts["train"] == pytest.approx(600, abs=2)
    assert counts["validation"] == pytest.approx(300, abs=2)
    assert counts["test"] == pytest.approx(100, abs=2)


def test_every_class_has_its_share_of_every_split():
    division = split_of_stars(SyntheticConfig(curves=600))
    of_class = Counter(label_of(i) for i in range(600))
    counts = Counter((label_of(i), split) for i, split in enumerate(division))
    for label, total in of_class.items():
        for split, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
            assert counts[label, split] == pytest.approx(share * total, abs=2)


def test_the_seed_alone_decides():
    assert split_of_stars(SyntheticConfig(seed=5)) == split_of_stars(SyntheticConfig(seed=5))
    assert split_of_stars(SyntheticConfig(seed=5)) != split_of_stars(SyntheticConfig(seed=6))


def test_too_few_stars_and_fractions_without_training_stars_are_refused():
    with pytest.raises(UsageError, match=r"leave none for test"):
        split_of_stars(SyntheticConfig(curves=3, val_frac=0.4, test_frac=0.01))
    with pytest.raises(UsageError, match=r"0\.5 and 0\.5"):
        split_of_stars(SyntheticConfig(val_frac=0.5, test_frac=0.5))
