"""The programs of the package, by one name: ``astromer embed ...``."""

from __future__ import annotations

import importlib
import sys

from astromer import __version__
from astromer.system.errors import UsageError

PROGRAMS = {
    "create_records": "turns a survey into fold records",
    "embed": "embeds light curves with a pushed model",
    "explore": "makes one HTML page to explore a survey by its embeddings",
    "export_onnx": "writes the encoder of a pushed model as an ONNX file",
    "finetune": "fine-tunes a pushed encoder, and compares it with baselines",
    "import_weights": "turns weights of the public AstroMer code into a SavedModel",
    "merge_folds": "joins folds of several surveys into one",
    "outliers": "ranks the odd objects of a survey, and says why",
    "report": "writes the report of a pushed model on a fold, one HTML page",
    "score": "scores a pushed model on light curves: hidden steps, beside the baselines",
    "similar": "finds the objects of a survey that are most like others",
    "surveys": "lists the surveys whose files are known, and shows their profiles",
    "synthetic": "makes the built-in survey as fold records",
    "tensorboard": "shows trainings in the browser",
    "validate": "checks every light curve of folds against rules",
    "versions": "lists, compares, verifies, promotes and rolls back pushed versions",
}


def usage() -> str:
    """The help: a line for each program."""
    lines = (f"  {name:15} {what}" for name, what in PROGRAMS.items())
    return "\n".join(
        [
            "usage: astromer PROGRAM [OPTION ...]",
            "",
            *lines,
            "",
            "astromer PROGRAM --help lists the options of a program. Pre-training is",
            "astromer-pipeline, which needs the extra astromer-pipeline[pipeline] and Python 3.10.",
        ]
    )


def main() -> None:
    """The command ``astromer``."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ("-h", "--help"):
        print(usage())
    elif name == "--version":
        print(f"astromer {__version__}")
    elif name in PROGRAMS:
        del sys.argv[1]
        from astromer.commands.cli import run_program

        program = importlib.import_module(f"astromer.commands.{name}")
        run_program(program.main)
    else:
        received = f"Received: {name!r}" if name else "Received nothing"
        rule = f"PROGRAM must be one of those below. {received}."
        print(f"error: {rule}\n\n{usage()}", file=sys.stderr)
        raise SystemExit(UsageError.exit_code)


if __name__ == "__main__":
    main()
