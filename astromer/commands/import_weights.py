"""Turns weights of the public AstroMer code into a SavedModel of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from astromer.commands.cli import parse_config
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import local_path
from astromer.system.text import shell_word


@dataclass(frozen=True)
class ImportOptions(Config):
    """Weights and output."""

    weights: str = knob(
        REQUIRED, "a zip, a folder or the prefix of a TensorFlow checkpoint", "--weights"
    )
    out: str = knob(REQUIRED, "the folder to write the SavedModel to", "--out", metavar="FOLDER")


def parse(arguments: list[str] | None = None) -> ImportOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        ImportOptions, arguments, prog="astromer import_weights", description=__doc__
    )


def import_weights(source: str | Path, out: str | Path) -> Path:
    """Writes a SavedModel that behaves as the public code does, its quirks included.

    The quirks are recorded in its ``assets.extra/config.json``. Its scores on hidden steps mean
    little: the public code shows the network what it hides.

    Raises:
        ModelError: if the checkpoint is missing, damaged, partial or of something else.
        UsageError: if ``out`` is in use.
    """
    out, source = local_path(out, "--out"), local_path(source, "--weights")
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise UsageError(f"--out must be a new folder. Received: {out}, which is not empty.")
    if not Path(source).exists() and not Path(f"{source}.index").exists():
        raise ModelError(
            f"--weights must exist. Received: {source}. Give a zip of public weights, a folder or "
            "the prefix of a TensorFlow checkpoint."
        )

    from astromer.system.logs import silence

    silence()
    from astromer.encoder.public_weights import load_public
    from astromer.serving.export import export_saved_model
    from astromer.system.atomic import replace_folder

    model, settings = load_public(source)
    metadata = {"imported_from": str(source), "public_settings": settings}
    with replace_folder(out) as partial:
        export_saved_model(model, partial, metadata)
    return out


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    options = parse(arguments)
    out = import_weights(options.weights, options.out)
    print(
        f"SavedModel: {out}\nnext: astromer embed --model {shell_word(out)} --data FOLD --out FILE"
    )
