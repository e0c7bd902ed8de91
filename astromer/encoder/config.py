"""The shape of the encoder."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob
from astromer.system.errors import UsageError

PHASE = "astromer_phase"
ARCHITECTURES = ("astromer_v1", "astromer_v2", PHASE)


@dataclass(frozen=True)
class EncoderConfig(Config):
    """Shape of the encoder."""

    architecture: str = knob(
        "astromer_v1",
        "name of the model architecture; v1 is the published Astromer 1, phase sees periods",
        "--model",
        choices=ARCHITECTURES,
    )
    d_model: int = knob(
        256, "width of the hidden representations", "--hidden", "--d-model", bounds="[1, inf)"
    )
    num_heads: int = knob(
        4, "attention heads; must divide the width", "--n-heads", bounds="[1, inf)"
    )
    num_layers: int = knob(4, "transformer layers of the encoder", "--n-layers", bounds="[1, inf)")
    ffn_dim: int = knob(
        0,
        "width of the feed-forward layer; 0 = the architecture's own (v1 128, others 256)",
        "--ffn",
        bounds="[0, inf)",
    )
    dropout: float = knob(
        0.1, "dropout rate after attention and feed-forward", "--dropout", bounds="[0, 1)"
    )
    window_size: int = knob(
        200, "observations per window, as published", "--window", bounds="[2, inf)"
    )
    pe_base: float = knob(
        10000.0,
        "base of the positional encoding; what the public weights used",
        "--pe-base",
        bounds="(1, inf)",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.d_model % self.num_heads:
            raise UsageError(
                f"--n-heads must divide --hidden. Received: {self.num_heads} heads for a width of "
                f"{self.d_model}."
            )
