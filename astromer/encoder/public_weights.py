"""Weights of the public AstroMer code, mapped to our variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from astromer.encoder.checkpoint import opened, read_settings, read_weights
from astromer.encoder.encoder import Encoder
from astromer.encoder.order import ASTROMER_1, ASTROMER_2
from astromer.encoder.reconstructor import Reconstructor
from astromer.system.errors import ModelError

# Public names: objects of a TF checkpoint (Astromer 1) or Keras layers (Astromer 2). {i} is the
# number of the layer.
_LAYOUTS = {
    "layer_with_weights-0/inp_transform/kernel": {
        "encoder": "layer_with_weights-0",
        "block": "layer_with_weights-0/enc_layers/{i}",
        "ffn": ("ffn/layer_with_weights-0", "ffn/layer_with_weights-1"),
        "head": "layer_with_weights-1",
    },
    "encoder/inp_transform/kernel": {
        "encoder": "encoder",
        "block": "encoder/att_layer_{i}",
        "ffn": ("ffn/0", "ffn/1"),
        "head": "regression",
    },
}
_MASK_TOKEN = "msk_token"


def load_public(source: str | Path) -> tuple[Reconstructor, dict[str, Any]]:
    """A model with public weights, and the settings that came with them."""
    with opened(source) as prefix:
        settings, weights = read_settings(prefix), read_weights(prefix)
    shape = shape_of(weights)
    width, heads = shape["d_model"], _setting(settings, "heads", "num_heads", "n_heads")
    if heads is None or width % int(heads):
        raise ModelError(
            f"The number of heads in the settings must divide the width {width}. Received: {heads}."
        )
    quirks = ASTROMER_1
    if "m_alpha" in settings:  # since Astromer 2
        quirks = dataclasses.replace(
            ASTROMER_2,
            attention_bias=float(settings["m_alpha"]),
            blocks_queries=settings.get("mask_format", "K") == "QK",
        )
    # The public code ignores the base in its settings and always uses 10000.
    encoder = Encoder(
        **shape,
        num_heads=int(heads),
        dropout=float(settings.get("dropout", 0.1)),
        quirks=quirks,
        name="encoder",
    )
    window_size = int(_setting(settings, "max_obs", "window_size") or 200)
    model = Reconstructor(encoder, window_size, name="astromer")
    assign(model, weights)
    return model, settings


def _setting(settings: dict[str, Any], *names: str) -> Any:
    return next((settings[name] for name in names if name in settings), None)


def shape_of(weights: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """architecture, d_model, num_layers and ffn_dim of an encoder with these weights.

    Raises:
        ModelError: they are not AstroMer weights.
    """
    layout = _layout_of(weights)
    block = str(layout["block"])
    kernel = f"{layout['encoder']}/inp_transform/kernel"
    num_layers = 0
    while any(name.startswith(block.format(i=num_layers) + "/") for name in weights):
        num_layers += 1
    first_ffn = f"{block.format(i=0)}/{layout['ffn'][0]}/kernel"
    if not num_layers or first_ffn not in weights:
        raise ModelError(
            f"AstroMer weights must have a feed-forward layer. Received: no {first_ffn}. "
            "Choose the checkpoint of a pre-trained AstroMer."
        )
    skips = any("reshape_leak" in name for name in weights)
    return {
        "architecture": "astromer_v2" if skips else "astromer_v1",
        "d_model": int(weights[kernel].shape[-1]),
        "num_layers": num_layers,
        "ffn_dim": int(weights[first_ffn].shape[-1]),
    }


def assign(model: Reconstructor, weights: Mapping[str, np.ndarray]) -> None:
    """Sets a model's variables from public ones.

    Args:
        model: with the architecture and sizes of :func:`shape_of`.
        weights: arrays by their public names.

    Raises:
        ModelError: naming each variable that is missing, not expected, or of another shape.
    """
    wanted = _expected(model, _layout_of(weights))
    optional = {_MASK_TOKEN} if model.encoder.architecture == "astromer_v2" else set()
    problems = [f"{name} is missing" for name in sorted(set(wanted) - set(weights))]
    problems += [f"{n} is not expected" for n in sorted(set(weights) - set(wanted) - optional)]
    for name, (shape, _) in wanted.items():
        if name in weights and weights[name].shape != shape:
            problems.append(f"{name} has shape {weights[name].shape}, not {shape}")
    if problems:
        more = f" and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise ModelError(
            f"Weights must fit the model, variable by variable: {'; '.join(problems[:8])}{more}. "
            "Choose a complete checkpoint of a pre-trained AstroMer."
        )
    parts: dict[str, list[np.ndarray]] = {}
    for name, (_, variable) in wanted.items():
        parts.setdefault(variable.path, []).append(weights[name])  # Q, K and V, in order
    for _, variable in wanted.values():
        variable.assign(np.concatenate(parts[variable.path], axis=-1))
    if _MASK_TOKEN in weights:
        model.encoder.mask_token.assign(float(np.ravel(weights[_MASK_TOKEN])[0]))


def _layout_of(weights: Mapping[str, np.ndarray]) -> dict:
    for name, layout in _LAYOUTS.items():
        if name in weights:
            return layout
    some = ", ".join(sorted(weights)[:3]) or "no variable"
    raise ModelError(
        f"AstroMer weights must have one of the variables {', '.join(_LAYOUTS)}. Received: {some}"
        "... Choose the checkpoint of a pre-trained AstroMer."
    )


def _expected(model: Reconstructor, layout: dict) -> dict[str, tuple[tuple, keras.Variable]]:
    """Public name -> (its shape, our variable). Q, K and V share one of ours."""
    expected: dict[str, tuple[tuple, keras.Variable]] = {}

    def add(public: str, layer: keras.layers.Layer, share: int = 1) -> None:
        norm = isinstance(layer, keras.layers.LayerNormalization)
        for part in ("gamma", "beta") if norm else ("kernel", "bias"):
            variable = getattr(layer, part)
            shape = (*variable.shape[:-1], variable.shape[-1] // share)
            expected[f"{public}/{part}"] = (shape, variable)

    encoder = model.encoder
    add(f"{layout['encoder']}/inp_transform", encoder.embedding)
    for i, block in enumerate(encoder.blocks):
        public = layout["block"].format(i=i)
        for letter in "qkv":
            add(f"{public}/mha/w{letter}", block.attention.qkv, share=3)
        add(f"{public}/mha/dense", block.attention.merge)
        add(f"{public}/layernorm1", block.attention_norm)
        add(f"{public}/{layout['ffn'][0]}", block.ffn_in)
        add(f"{public}/{layout['ffn'][1]}", block.ffn_out)
        add(f"{public}/layernorm2", block.ffn_norm)
        if block.skip:
            add(f"{public}/reshape_leak_1", block.attention_skip)
            add(f"{public}/reshape_leak_2", block.ffn_skip)
    add(f"{layout['head']}/bn_0", model.norm)
    add(f"{layout['head']}/reg_layer", model.head)
    return expected
