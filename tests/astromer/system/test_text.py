from __future__ import annotations

import os
import subprocess

import pytest

from astromer.system.text import (
    brief,
    csv_cell,
    other_classes,
    pipeline_command,
    printable,
    shell_word,
    shortened,
)
from tests.conftest import ROOT


def test_what_a_terminal_would_obey_is_written_out():
    assert printable("a\x1b[31mb\nc\0") == "a\\x1b[31mb\\nc\\x00"
    assert printable("Große Sterne ☆") == "Große Sterne ☆"


def test_long_texts_are_cut_to_the_width():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "..."
    assert len(shortened("x" * 10_000)) == 80
    assert len(shortened("\n" * 60)) == 80


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("No such thing.\nAnd more."), "No such thing"),
        (ValueError("\n  after an empty line"), "after an empty line"),
        (OSError(), "OSError"),
        (ValueError("a\x1bb"), "a\\x1bb"),
        (ValueError("x" * 5000), "x" * 297 + "..."),
    ],
)
def test_what_an_error_says_is_one_short_line(error: Exception, told: str) -> None:
    assert brief(error) == told


def test_a_single_other_class_has_its_name() -> None:
    assert other_classes(["ROT"]) == "ROT"
    assert other_classes({"ROT", "EA"}) == "2 other classes"
    assert other_classes([], unknown=True) == "class unknown"
    assert other_classes(["ROT"], unknown=True) == "ROT or class unknown"


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/data/fold_0", "/data/fold_0"),
        ("-x", "./-x"),
        ("a b", "'a b'"),
        ("$HOME/~/`x`", "'$HOME/~/`x`'"),
        ("it's", "'it'\"'\"'s'"),
        ("a\nb'\\", "$'a\\012b\\'\\\\'"),
        ("\x1b[31m9", "$'\\033[31m9'"),
        ("星\x00"[:1], "'星'"),
    ],
)
def test_a_shell_takes_a_word_for_the_path_that_it_is(path, word):
    assert shell_word(path) == word
    said = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert os.fsdecode(said.stdout) in (path, f"./{path}")


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1"])
def test_no_cell_is_a_formula(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "RR Lyr", "-12", "+1.5e-3", "HD 1=2"])
def test_other_cells_and_numbers_stay(text):
    assert csv_cell(text) == text


def test_where_there_is_no_checkout_the_pipeline_is_its_command(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert pipeline_command() == "python pipeline/local_runner.py"
    monkeypatch.chdir(tmp_path)
    assert pipeline_command() == "astromer-pipeline"
