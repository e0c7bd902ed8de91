"""Writes the encoder of a pushed model as an ONNX file.

Its inputs (input, times, mask_in) and outputs (mean, max, sequence) are those of AstroMer models
in the `light-curve` package, which can load it. It is checked against the pushed model first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer import __version__
from astromer.commands.cli import parse_config
from astromer.commands.config import MODEL
from astromer.commands.model import chosen_model
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.environment import require
from astromer.system.errors import UsageError
from astromer.system.storage import local_path

CONTRACT = (
    "input = magnitudes less their mean over the valid steps of the window [mag]; "
    "times = times less theirs [days]; mask_in = 1 at valid steps, 0 at padding; "
    "each float32 [batch, window, 1]. mean, max: float32 [batch, d_model] over the valid steps; "
    "sequence: float32 [batch, window, d_model], 0 at padding"
)


@dataclass(frozen=True)
class ExportOptions(Config):
    """Model and output."""

    out: str = knob(REQUIRED, "the .onnx file to write", "--out", metavar="FILE")
    model: str = MODEL
    license: str = knob(
        "MIT",
        "licence of the weights, written into the file; by default that of this software",
        "--license",
    )


def parse(arguments: list[str] | None = None) -> ExportOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(ExportOptions, arguments, prog="astromer export_onnx", description=__doc__)


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
    if out.is_dir():
        raise UsageError(f"--out must be a file. Received: {out}, which is a folder.")
    model = chosen_model(model)
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
    proto = window_onnx.to_onnx(encoder)
    difference = window_onnx.check_onnx(proto, encoder, embedder)
    proto.producer_name, proto.producer_version = "astromer-pipeline", __version__
    if embedder.path.name.isdecimal():
        proto.model_version = int(embedder.path.name)
    window_onnx.add_facts(proto, {"license": license, **_facts(embedder.config, difference)})
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


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    options = parse(arguments)
    difference = export_onnx(options.model, options.out, options.license)
    print(f"ONNX file: {options.out}, within {difference:.1g} of the pushed model")
