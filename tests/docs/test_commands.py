"""Programs and options that the documents name are there."""

from __future__ import annotations

import re

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.beam_options import read_beam_options
from tests.docs.commands import commands_in, commands_in_sentences, options_of, wrong_in
from tests.docs.pages import BLOCKS, NAMES, ROOT, prose_of
from tests.test_help import PROGRAMS

_OPTION = re.compile(r"`(--[a-z][a-z0-9-_]*)")

FOREIGN = {
    "Apache Beam": (
        "--direct_running_mode --environment_type "
        "--flink_job_server_jar --flink_master --job_endpoint --no_use_public_ips --project "
        "--runner --sdk_container_image --service_account_email --setup_file --subnetwork "
        "--temp_location"
    ),
    "TensorFlow Serving": (
        "--allow_version_labels_for_unavailable_models --model_config_file_poll_wait_seconds"
    ),
}
"""Options of other programs that the documents speak of."""


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=str)
def test_commands_of_blocks(block):
    assert [wrong for one in commands_in(block.text) for wrong in wrong_in(one)] == []


@pytest.mark.parametrize("page", NAMES)
def test_commands_in_sentences(page):
    found = commands_in_sentences(ROOT / page)
    wrong = [wrong for text in found for one in commands_in(text) for wrong in wrong_in(one)]
    assert wrong == []


@pytest.mark.parametrize(
    "value",
    [
        value
        for block in BLOCKS
        for value in re.findall(r'--beam "([^"]*)"', block.text.replace("\\\n", " "))
        if "..." not in value
    ],
)
def test_beam_s_options_in_blocks(value, caplog):
    read_beam_options([value])
    options = value.rpartition(": ")[2].split()
    PipelineOptions([*options, "--no_such_option=1"]).get_all_options()
    passed_over = [line for line in caplog.messages if "Discarding" in line]
    assert passed_over == ["Discarding unparseable args: ['--no_such_option=1']"]


@pytest.fixture(scope="module")
def options() -> set[str]:
    """Those of all programs of this repository."""
    return {option for program in PROGRAMS for option in options_of(tuple(program.values[0]))}


@pytest.mark.parametrize("page", NAMES)
def test_options_in_sentences(page, options):
    foreign = {option for names in FOREIGN.values() for option in names.split()}
    assert set(_OPTION.findall(prose_of(ROOT / page))) - options - foreign == set()


def test_the_options_of_other_programs_are_spoken_of():
    named = {option for page in NAMES for option in _OPTION.findall(prose_of(ROOT / page))}
    assert {o for names in FOREIGN.values() for o in names.split()} - named == set()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("python -m astromer embed --model M --modle M", ["-m astromer embed has no --modle"]),
        (".venv/bin/astromer embed --model M --modle M", ["-m astromer embed has no --modle"]),
        ("astromer-pipeline --data F --dta F", ["pipeline/local_runner.py has no --dta"]),
        (
            "X=1 .venv/bin/python pipeline/local_runner.py \\\n  --data=F --dta F",
            ["pipeline/local_runner.py has no --dta"],
        ),
        ("make run; make lunch", ["make has no target lunch"]),
        (
            "cat a | python -m astromer score --data 'a\nb' --x1 # --y",
            ["-m astromer score has no --x1"],
        ),
        ('pip install ".[onnx,onyx]"', ["there is no extra onyx"]),
        (
            "sh tools/scripts/set_up.sh && sh tools/scripts/setup.sh",
            ["there is no tools/scripts/setup.sh"],
        ),
        ("docker run --anything", []),
    ],
)
def test_what_is_wrong_is_found(text, wrong):
    assert [one for command in commands_in(text) for one in wrong_in(command)] == wrong


def test_a_program_that_is_not_there_is_found():
    (command,) = commands_in("python -m astromer.no_such_program --data F")
    with pytest.raises(AssertionError, match="no_such_program"):
        wrong_in(command)
