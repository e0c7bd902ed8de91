"""The shape of the encoder."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob
from astromer.system.errors import UsageError

PHASE = "astromer_phase"
ARCHITECTURES = ("astromer_v1", "astromer_v2", PHASE)


def numbers(text: str) -> tuple[float, ...]:
    """The frequencies in a list such as "1 2 3" or "1, 2, 3".

    Raises:
        UsageError: one is no positive number.
    """
    try:
        found = tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        found = (0.0,)
    if not all(0 < number < float("inf") for number in found):
        raise UsageError(
            "--leave-out-frequencies must be positive numbers [1/day] with spaces or commas "
            f"between them. Received: {text!r}."
        )
    return found


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

    max_frequency: float = knob(
        10.0,
        "highest frequency that astromer_phase searches [1/day]; 10 holds delta Scuti stars, and "
        "costs in proportion",
        "--max-frequency",
        bounds="(0, inf)",
    )
    left_out_frequencies: str = knob(
        "",
        'frequencies [1/day] that astromer_phase does not take, each to 0.01: "1 2 3" leaves out '
        "the aliases of one visit a night, and what has these periods",
        "--leave-out-frequencies",
        metavar="NUMBERS",
    )
    frequency_dropout: float = knob(
        0.1,
        "share of the frequencies that training drops, so that none is relied on: it may be an "
        "alias",
        "--frequency-dropout",
        bounds="[0, 1)",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers(self.left_out_frequencies)
        if self.d_model % self.num_heads:
            raise UsageError(
                f"--n-heads must divide --hidden. Received: {self.num_heads} heads for a width of "
                f"{self.d_model}."
            )
