"""Writes the encoder of a pushed model as an ONNX file.

Its inputs (input, times, mask_in) and outputs (mean, max, sequence) are those of AstroMer models
in the `light-curve` package, which can load it. It is checked against the pushed model first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astromer import __version__
from astromer.commands.cli import parse_config
from astromer.commands.config import MODEL
from astromer.commands.model import chosen_model
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.environment import require
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import local_path

if TYPE_CHECKING:
    import onnx

    from astromer.encoder.reconstructor import Reconstructor
    from astromer.light_curves import LightCurves
    from astromer.serving.embedder import Embedder

OUTPUTS = ("mean", "max", "sequence")
_OPSET = 17  # onnxruntime 1.12 (2022) and later
_CPU = ["CPUExecutionProvider"]
# As a fraction of the largest output. Our models differ by 1e-6; the public weights of Astromer 1,
# which amplify the last bit of a magnitude a thousandfold, by 2e-5.
_TOLERANCE = 1e-4
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
    from astromer.serving.embedder import Embedder
    from astromer.serving.export import load_model

    embedder = Embedder(model)
    encoder = load_model(embedder.path)
    proto = to_onnx(encoder)
    difference = check_onnx(proto, encoder, embedder)
    proto.producer_name, proto.producer_version = "astromer-pipeline", __version__
    if embedder.path.name.isdecimal():
        proto.model_version = int(embedder.path.name)
    add_facts(proto, {"license": license, **_facts(embedder.config, difference)})
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


def to_onnx(model: Reconstructor) -> onnx.ModelProto:
    """``encode_windows`` of a model (see :mod:`astromer.serving.signatures`) as ONNX.

    The batch is dynamic, the window is the model's own.
    """
    import onnx
    import tensorflow as tf
    from tf2onnx import optimizer, tf_loader, tfonnx

    from astromer.serving.signatures import window_signature

    signature = window_signature(model)
    concrete = signature.get_concrete_function()
    names = input_names(model)
    given = {tensor.name: name for tensor, name in zip(concrete.inputs, names)}
    made = {concrete.structured_outputs[name].name: name for name in OUTPUTS}
    with tf.device("/cpu:0"):
        frozen = tf_loader.from_function(concrete, list(given), list(made))
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen, name="")
            converted = tfonnx.process_tf_graph(
                graph,
                opset=_OPSET,
                input_names=list(given),
                output_names=list(made),
                tensors_to_rename=given | made,
                custom_op_handlers={"SelectV2": (_where, [])},
            )
    # That optimizer joins two reshapes wrongly if the second keeps a dimension of the first ("0").
    safe = {
        name: pass_
        for name, pass_ in optimizer._get_optimizers().items()
        if name != "remove_back_to_back"
    }
    proto = optimizer.optimize_graph(converted, optimizers=safe).make_model("astromer")
    _name_batch(proto, names)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def check_onnx(proto: onnx.ModelProto, model: Reconstructor, embedder: Embedder) -> float:
    """Compares the answers of onnxruntime with those of the pushed model and the encoder.

    Returns:
        The largest difference, as a fraction of the output's largest value if that is above 1.

    Raises:
        ModelError: it exceeds the tolerance, or an output is not finite.
    """
    import numpy as np
    import onnxruntime
    import tensorflow as tf

    from astromer.encoder.folding import prepare
    from astromer.periodogram.curve_periods import find_periods
    from astromer.serving.signatures import window_signature
    from astromer.windows.batches import sequential_windows
    from astromer.windows.masking import nothing_probed

    curves = _simulated(model.window_size)
    windows = sequential_windows(curves.offsets, model.window_size)
    probing = nothing_probed(windows.length, model.window_size)
    periods = (
        find_periods(curves, config=model.encoder.periodogram) if model.encoder.folds else None
    )
    batch = prepare(model, curves, windows, probing, periods)
    feed = {
        "input": (batch.magnitudes * batch.scale[:, None])[..., None],
        "times": batch.times[..., None],
        "mask_in": probing.observed[..., None].astype(np.float32),
        **batch.folded,
    }
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=_CPU)
    got = dict(zip(OUTPUTS, session.run(OUTPUTS, feed)))
    expected = window_signature(model)(**{k: tf.constant(v) for k, v in feed.items()})
    pairs = [(got[name], expected[name].numpy()) for name in OUTPUTS]

    first = np.flatnonzero(np.diff(windows.curve, prepend=-1))
    total = np.add.reduceat(got["mean"] * windows.length[:, None], first)
    pushed = embedder.embed(curves, progress=False)
    pairs += [
        (total / curves.lengths[:, None], pushed.mean),
        (np.maximum.reduceat(got["max"], first), pushed.max),
    ]
    # np.max keeps NaN, unlike max.
    difference = float(
        np.max([np.abs(one - other).max() / max(1.0, np.abs(other).max()) for one, other in pairs])
    )
    if not difference <= _TOLERANCE:
        raise ModelError(
            f"The ONNX file must answer as the pushed model does, to {_TOLERANCE}. That of "
            f"{embedder.path} differs by {difference:.2g}; nothing was written."
        )
    return difference


def add_facts(proto: onnx.ModelProto, facts: dict[str, Any]) -> None:
    """Writes facts into the file's ``metadata_props``, as text."""
    import onnx

    onnx.helper.set_model_props(proto, {name: str(value) for name, value in facts.items()})


def _where(context: Any, node: Any, name: str, args: list[Any]) -> None:
    """Converts tf.where to Where; tf2onnx multiplies by 0 and 1, which keeps NaN at padding."""
    node.type = "Where"


def input_names(model: Reconstructor) -> tuple[str, ...]:
    """The file's inputs; see :func:`astromer.serving.signatures.window_signature`."""
    from astromer.encoder.phase_features import PHASE_INPUTS
    from astromer.serving.signatures import WINDOW_ARGUMENTS

    return (*WINDOW_ARGUMENTS, *(PHASE_INPUTS if model.encoder.folds else ()))


def _name_batch(proto: onnx.ModelProto, names: tuple[str, ...]) -> None:
    """Names the first dimension of inputs and outputs "batch", and sorts both."""
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for values, order in ((proto.graph.input, names), (proto.graph.output, OUTPUTS)):
        values.sort(key=lambda value: order.index(value.name))


def _simulated(window_size: int) -> LightCurves:
    """Light curves of a few steps, of a part of a window, of one window and of several."""
    import numpy as np

    from astromer.light_curves import LightCurve, LightCurves

    rng = np.random.default_rng(0)
    lengths = (5, 5 + window_size // 2, max(window_size, 5), 2 * window_size + 7)
    return LightCurves.from_curves(
        LightCurve(
            mjd=np.sort(rng.uniform(55000, 58000, length)),
            mag=rng.normal(15, 0.5, length).astype(np.float32),
            errmag=rng.uniform(0.01, 0.1, length).astype(np.float32),
        )
        for length in lengths
    )


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    options = parse(arguments)
    difference = export_onnx(options.model, options.out, options.license)
    print(f"ONNX file: {options.out}, within {difference:.1g} of the pushed model")
