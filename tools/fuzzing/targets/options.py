"""Any words on the command lines of the programs."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from astromer.system.errors import UsageError
from astromer.system.text import without_secrets
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, allowed, require

SECRET = "hunter2secret"
_PROGRAMS = (
    *(
        "astromer.commands.create_records",
        "astromer.commands.embed",
        "astromer.commands.export_onnx",
        "astromer.commands.finetune",
    ),
    *(
        "astromer.commands.import_weights",
        "astromer.commands.merge_folds",
        "astromer.commands.report",
    ),
    *("astromer.commands.score", "astromer.commands.versions", "pipeline.local_runner"),
    *("pipeline.finetune_runner", "pipeline.kubeflow_runner", "pipeline.vertex_runner"),
)
_WORDS = (
    *("--data", "--output", "--model", "--out", "--folds", "--seed", "--lr", "--bs", "--beam"),
    *(
        "--metadata",
        "--epochs",
        "--band",
        "--fold",
        "--verbose",
        "--flux",
        "--zero-point",
        "--spec",
    ),
    *(
        "x",
        "",
        "-1",
        "1e999",
        "nan",
        "0",
        "9" * 400,
        "fold_0",
        "gs://b/f",
        "--",
        "-",
        "--data=",
        "é",
    ),
    *("--runner=FlinkRunner", "--decay", "cosine", "--hidden", "--n-heads", "3", "promote", "list"),
    f"postgresql://me:{SECRET}@db:x/y",
    f"mysql://me:{SECRET}@db/y/z",
)


def check(data: bytes, folder: Path) -> None:
    """A program takes its options, or ends with 2; no password is shown."""
    choices = Choices(data)
    parse = _parser(choices.one_of(_PROGRAMS))
    words = []
    for _ in range(choices.below(9)):
        words.append(choices.text(12) if choices.below(5) == 4 else choices.one_of(_WORDS))
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            allowed(lambda: _outcome(parse, words, said))
        except SystemExit as stop:
            helped = {"-h", "--help", "--version"}.intersection(words)
            require(stop.code == UsageError.exit_code or bool(helped), f"exit code {stop.code}")
            require(bool(said.getvalue().strip()), "nothing was said")
    require(SECRET not in said.getvalue(), f"a password was shown: {said.getvalue()[-300:]}")


def _outcome(parse: Callable[[list[str]], Any], words: list[str], said: io.StringIO) -> None:
    try:
        parse(words)
    except Exception as error:
        said.write(without_secrets(str(error)))
        raise


def _parser(module: str) -> Callable[[list[str]], Any]:
    imported = importlib.import_module(module)
    found: Callable[[list[str]], Any] = imported.parse
    return found


def seeds() -> Iterable[bytes]:
    """Each program with some words."""
    return [bytes([number, 4, 0, 0, 0, 17, 0, 1, 0, 20]) for number in range(len(_PROGRAMS))]


TARGET = Target("options", "words on the command lines of the programs", check, seeds, longest=256)
