"""Turns weights of the public AstroMer code into a SavedModel of ours."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import local_path
from astromer.system.text import shell_word

if TYPE_CHECKING:
    from astromer.encoder import Reconstructor


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="python -m astromer import_weights", description=__doc__)
    parser.add_argument(
        "--weights", required=True, help="a zip, a folder or the prefix of a TensorFlow checkpoint"
    )
    parser.add_argument("--out", required=True, help="the folder to write the SavedModel to")
    return parser.parse_args(arguments)


def import_weights(source: str | Path, out: str | Path) -> Path:
    """Writes a SavedModel that behaves as the public code does, quirks and all.

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
    from astromer.serving.export import export_saved_model
    from astromer.system.files import replace_folder

    model, settings = load_public(source)
    metadata = {"imported_from": str(source), "public_settings": settings}
    with replace_folder(out) as partial:
        export_saved_model(model, partial, metadata)
    return out


def load_public(source: str | Path) -> tuple[Reconstructor, dict[str, Any]]:
    """A model with public weights, and the settings that came with them."""
    from astromer.encoder import Encoder, Reconstructor
    from astromer.encoder.checkpoint_source import opened, read_settings, read_weights
    from astromer.encoder.public_variants import ASTROMER_1, ASTROMER_2
    from astromer.encoder.public_weights import assign, shape_of

    with opened(source) as prefix:
        settings, weights = read_settings(prefix), read_weights(prefix)
    shape = shape_of(weights)
    heads = _setting(settings, "heads", "num_heads", "n_heads")
    if heads is None or shape.d_model % int(heads):
        raise ModelError(
            f"The settings must tell a number of heads that divides the width {shape.d_model}. "
            f"Received: {heads}."
        )
    quirks = ASTROMER_1
    if "m_alpha" in settings:  # Astromer 2 and later write it down
        quirks = dataclasses.replace(
            ASTROMER_2,
            attention_bias=float(settings["m_alpha"]),
            blocks_queries=settings.get("mask_format", "K") == "QK",
        )
    # The public code ignores the base in its settings: 10000 is what the weights were trained with.
    encoder = Encoder(
        shape.architecture,
        shape.d_model,
        int(heads),
        shape.num_layers,
        shape.ffn_dim,
        float(settings.get("dropout", 0.1)),
        quirks=quirks,
        name="encoder",
    )
    window_size = int(_setting(settings, "max_obs", "window_size") or 200)
    model = Reconstructor(encoder, window_size, name="astromer")
    assign(model, weights)
    return model, settings


def _setting(settings: dict[str, Any], *names: str) -> Any:
    return next((settings[name] for name in names if name in settings), None)


def main() -> None:
    """``python -m astromer import_weights --weights ZIP --out FOLDER``."""
    args = parse()
    out = import_weights(args.weights, args.out)
    print(
        f"SavedModel: {out}\n"
        f"next: python -m astromer embed --model {shell_word(out)} --data FOLD --out FILE"
    )


if __name__ == "__main__":
    run_program(main)
