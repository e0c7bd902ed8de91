"""Commands in sentences are run, too: in a block, here, or by a test that is named."""

from __future__ import annotations

import re

import pytest

from tests.docs.commands import commands_in, commands_in_sentences
from tests.docs.pages import BLOCKS, NAMES, ROOT, RUN, Block
from tests.docs.place import Place

RUN_BY = {
    "make bench-beam": "tools/tests/benchmarks/test_programs.py",
    "make bench-embedding": "tools/tests/benchmarks/test_programs.py",
    "make bench-validation": "tools/tests/benchmarks/test_programs.py",
    "make test-slow": ".ci/run",
    "make tensorboard": "tests/astromer/training/tensorboard/test_event_files.py",
    'pip install ".[finetune,plots]"': "tests/test_install.py",
    'pip install ".[onnx]"': "tests/test_install.py",
    "python -m astromer tensorboard": "tests/astromer/training/tensorboard/test_event_files.py",
    "python -m tfx.scripts.run_executor": "tests/components/cluster_jobs.py",
    "python tools/benchmarks/serving_memory.py": "tools/tests/benchmarks/test_programs.py",
    "python tools/scripts/audit.py": "tools/tests/test_audit.py",
}
"""The tests that run commands which take a server, another environment or much work."""
OF_OTHERS = {"pip install tensorflow-io==0.37.1": "another project's, for stores that few have"}
HERE = (
    "make compile",
    "make docs",
    "make setup",
    "python tools/faults/campaign.py",
)
"""Commands that are run as they are, by the test below."""


def name_of(command: str) -> str:
    """What is run: a program or a target, or the whole command where there is neither."""
    (first, *_) = commands_in(command)
    if first.program:
        return " ".join(["python", *first.program])
    return " ".join(first.words[:2]) if first.words[0] == "make" else command


SENTENCES = {command: page for page in NAMES for command in commands_in_sentences(ROOT / page)}
IN_BLOCKS = {
    name_of(" ".join(command.words))
    for block in BLOCKS
    if block.language in RUN
    for command in commands_in(block.text)
}


def test_every_command_in_a_sentence_is_run_somewhere():
    known = {*IN_BLOCKS, *RUN_BY, *OF_OTHERS, *HERE}
    assert {
        command: page for command, page in SENTENCES.items() if name_of(command) not in known
    } == {}


def test_what_is_listed_here_stands_in_sentences_and_in_no_block():
    named = {name_of(command) for command in SENTENCES}
    listed = {*RUN_BY, *OF_OTHERS, *HERE}
    assert listed - named == set()
    assert listed & IN_BLOCKS == set()


@pytest.mark.parametrize("name", sorted(RUN_BY))
def test_the_test_that_runs_a_command_names_it(name):
    text = (ROOT / RUN_BY[name]).read_text()
    assert re.findall(r"[a-z_]+", name.removesuffix(".py"))[-1] in text


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in SENTENCES if name_of(c) in HERE])
def test_a_command_in_a_sentence_works(command, place: Place):
    done = place.run(Block(SENTENCES[command], 0, "sh", command, ""))
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
