"""The table for the terminal."""

from __future__ import annotations

from dataclasses import replace

from astromer.records.fold import Fold
from astromer.system.text import printable
from astromer.validation.config import ValidationConfig
from astromer.validation.fold_check import validate_fold
from astromer.validation.output import terminal_table
from tests.astromer.validation import corpus


def table_of(folder, config=ValidationConfig(), **splits) -> str:
    fold = Fold.open(corpus.write_splits(folder / "fold", **splits))
    return terminal_table(validate_fold(fold, config, progress=False))


def test_each_broken_rule_has_a_row_with_its_first_object(tmp_path):
    table = table_of(
        tmp_path, train=corpus.spoilt("sentinel"), test=corpus.spoilt("four observations", "test")
    )
    lines = table.splitlines()
    assert lines[0] == "2 of 48 objects rejected: 1 mag_out_of_range, 1 too_short"
    assert lines[1].split() == ["rule", "severity", "train", "validation", "test", "first"]
    (row,) = [line for line in lines if line.split()[0] == "too_short"]
    assert row.split()[1:5] == ["reject", "0", "0", "1"]
    assert "star2-5 (record 5 of test/0.record)" in row
    assert "mag[3] = 99.999 is not in [-30, 40]" in table


def test_what_is_kept_is_a_warning(tmp_path):
    config = ValidationConfig(mag_out_of_range="warn")
    table = table_of(tmp_path, config, train=corpus.spoilt("sentinel"))
    assert table.startswith("0 of 48 objects rejected\n")
    assert "warning: 1 mag_out_of_range, kept: drop sentinels" in table


def test_good_data_are_one_line(tmp_path):
    assert table_of(tmp_path) == "0 of 48 objects rejected"


def test_unlike_splits_are_a_warning(tmp_path):
    faint = [replace(curve, mag=curve.mag + 8) for curve in corpus.good("test", 40)]
    many = corpus.good("train", 80)
    table = table_of(tmp_path, train=many, test=faint)
    assert "the test split is unlike the train split in mag: Jensen-Shannon distance 0." in table


def test_names_cannot_steer_the_terminal(tmp_path):
    curves = corpus.good("train")
    curves[5] = replace(corpus.OBJECTS["sentinel"][1](curves[5]), id="\x1b[31mred\nnew line")
    table = table_of(tmp_path, train=curves)
    assert "\x1b" not in table
    assert "\\x1b[31mred\\nnew line" in table
    assert printable("Große Sterne") == "Große Sterne"
