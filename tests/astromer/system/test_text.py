from __future__ import annotations

import logging
import os
import subprocess

import pytest

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import UsageError
from astromer.system.logs import redirect_output
from astromer.system.storage import as_path
from astromer.system.text import (
    HIDDEN,
    brief,
    csv_cell,
    other_classes,
    pipeline_command,
    printable,
    shell_word,
    shortened,
    without_secrets,
)


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
    (tmp_path / "checkout" / "pipeline").mkdir(parents=True)
    (tmp_path / "checkout" / "pipeline" / "local_runner.py").touch()
    monkeypatch.chdir(tmp_path / "checkout")
    assert pipeline_command() == "python pipeline/local_runner.py"
    monkeypatch.chdir(tmp_path)
    assert pipeline_command() == "astromer-pipeline"


SECRET = "hunter2"
ADDRESSES = [
    f"postgresql://ann:{SECRET}@host:5432/lineage",
    f"mysql://ann:{SECRET}/@a:b@host/lineage",
    f"s3://AKIAX:{SECRET}@bucket/folder",
    f"s3://AKIAX:{SECRET}/x@bucket/folder",
    f"az://account/container/a?sv=2020&sig={SECRET}%3D",
    f"https://store/x?X-Amz-Signature={SECRET}&x=1",
    f"gs://bucket/folder?access_token={SECRET}",
]
HARMLESS = [
    "gs://bucket/folder",
    "hdfs://ann@host:9000/user/ann",
    "http://localhost:8080/#/runs",
    "/data/a:b@c/x?size=1",
    "a b: c@d",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_secret_is_not_said(address, capsys) -> None:
    told = without_secrets(f"cannot reach {address}: refused")
    assert SECRET not in told
    assert HIDDEN in told
    assert told.startswith("cannot reach ")
    assert told.endswith("refused")
    # As when the name of an option has a typing mistake, or is given to a program without it.
    with pytest.raises(SystemExit):
        Parser(prog="x").parse_args(["--metdata", address])
    assert SECRET not in "".join(capsys.readouterr())


@pytest.mark.parametrize("address", HARMLESS)
def test_other_addresses_are_said_as_they_are(address) -> None:
    assert without_secrets(address) == address
    assert str(as_path(address)).endswith(address.rpartition("/")[2])


@pytest.mark.parametrize("address", ADDRESSES[2:])
def test_a_place_with_a_secret_is_refused(address, capsys) -> None:
    def main() -> None:
        as_path(address)

    with pytest.raises(SystemExit) as ended:
        run_program(main)
    assert ended.value.code == UsageError.exit_code
    said = capsys.readouterr().err
    assert "must carry no password or token" in said
    assert SECRET not in said


def test_no_log_has_one(tmp_path) -> None:
    log = tmp_path / "run.log"
    with redirect_output(log):
        logging.getLogger("urllib3").warning("retrying %s", ADDRESSES[5])
        try:
            raise ValueError(ADDRESSES[0])
        except ValueError:
            logging.getLogger("x").exception("lost")
    text = log.read_text()
    assert SECRET not in text
    assert "retrying https://store/x" in text
    assert "ValueError: postgresql://ann:***@host" in text
