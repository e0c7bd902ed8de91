"""Writes the encoder of a pushed model as an ONNX file.

Its inputs (input, times, mask_in) and outputs (mean, max, sequence) are those of AstroMer models
in the `light-curve` package, which can load it. It is checked against the pushed model first.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from astromer import __version__
from astromer.commands.cli import Parser, run_program
from astromer.system.environment import require
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import as_path, local_path

CONTRACT = (
    "input = magnitudes less their mean over the valid steps of the window [mag]; "
    "times = times less theirs [days]; mask_in = 1 at valid steps, 0 at padding; "
    "each float32 [batch, window, 1]. mean, max: float32 [batch, d_model] over the valid steps; "
    "sequence: float32 [batch, window, d_model], 0 at padding"
)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="astromer export_onnx", description=__doc__)
    parser.add_argument(
        "--model", required=True, help="a SavedModel, or a folder of versions (newest is taken)"
    )
    parser.add_argument("--out", required=True, help="the .onnx file to write")
    parser.add_argument(
        "--license",
        default="MIT",
        help="licence of the weights, written into the file (default: MIT, as of this software)",
    )
    return parser.parse_args(arguments)


def export_onnx(model: str | Path, out: str | Path, license: str = "MIT") -> float:
    """Writes ``out``, whole or not at all.

    Args:
        model: folder of a pushed model, or of versions of it.
        out: the file; replaced if it exists.
        license: licence of the weights.

    Returns:
        The largest difference between its answers and the pushed model's.

    Raises:
        MissingExtraError: if tf2onnx, onnx or onnxruntime is not installed.
        UsageError: if ``out`` cannot be written.
        ModelError: if the model is missing or damaged, or the file would answer otherwise.
    """
    out = local_path(out, "--out")
    if not as_path(model).exists():
        raise ModelError(f"--model must exist. Received: {model}. Train one with `make run`.")
    if out.is_dir():
        raise UsageError(f"--out must be a file. Received: {out}, which is a folder.")
    require("onnx", "tf2onnx", "onnx", "onnxruntime")

    from astromer.system.atomic import replace_file
    from astromer.system.logs import silence
    from astromer.system.storage import make_folder

    make_folder(out.parent, "the folder of --out")
    silence()
    from astromer.serving import onnx as window_onnx
    from astromer.serving.embedder import Embedder
    from astromer.serving.export import load_model

    embedder = Embedder(model)
    encoder = load_model(embedder.path)
    proto = window_onnx.convert(encoder)
    difference = window_onnx.check(proto, encoder, embedder)
    proto.producer_name, proto.producer_version = "astromer-pipeline", __version__
    if embedder.path.name.isdecimal():
        proto.model_version = int(embedder.path.name)
    window_onnx.describe(proto, {"license": license, **_facts(embedder.config, difference)})
    with replace_file(out, shared=True) as partial:
        partial.write_bytes(proto.SerializeToString())
    return difference


def _facts(config: dict[str, Any], difference: float) -> dict[str, Any]:
    encoder = config["encoder"]
    return {
        "contract": CONTRACT,
        "astromer_version": config["astromer_version"],
        **{name: encoder[name] for name in ("architecture", "d_model", "num_layers", "num_heads")},
        "window_size": config["window_size"],
        "normalise": config["normalise"],
        "quirks": encoder["quirks"],
        "difference_from_saved_model": f"{difference:.2g}",
    }


def main() -> None:
    """``astromer export_onnx --model MODEL --out FILE``."""
    args = parse()
    difference = export_onnx(args.model, args.out, args.license)
    print(f"ONNX file: {args.out}, within {difference:.1g} of the pushed model")


if __name__ == "__main__":
    run_program(main)
