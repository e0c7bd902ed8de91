"""The limits of a request to a served model."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import OUTPUT, Config, knob
from astromer.system.errors import UsageError

MODEL_NAME = "astromer"
"""Name of the served encoder, and of its folder of versions."""

STARTER = "starter"
"""What ``--model`` and ``astromer.load`` call the encoder that comes with the package."""

PUSHED = f"{OUTPUT}/serving/{MODEL_NAME}"
"""The folder of versions that the pre-training pipeline pushes to by default."""

EXPORTS = (".fits", ".vot", ".xml")
"""Suffixes of exported tables of embeddings: FITS, and VOTable under two names."""


@dataclass(frozen=True)
class ServingConfig(Config):
    """How much a served model takes in one request, so that none ends the server."""

    serve_max_observations: int = knob(
        500_000,
        "observations of a light curve; a longer one gets a status, the others their answers. "
        "Surveys reach 100,000",
        "--serve-max-observations",
        bounds="[5, 1000000000]",
    )
    serve_max_batch: int = knob(
        10_000,
        "light curves of a request: its answer takes kilobytes for each, however short",
        "--serve-max-batch",
        bounds="[1, 1000000000]",
    )
    serve_max_steps: int = knob(
        2_000_000,
        "steps of all windows of a request, unused ones too, and of padded light curves that are "
        "reconstructed",
        "--serve-max-steps",
        bounds="[1, 1000000000]",
    )
    serve_max_sequence: int = knob(
        33_554_432,
        "numbers in 'sequence', which has a vector for each step: 128 MB, of which making it takes "
        "several times as much. 131,072 steps of a width of 256",
        "--serve-max-sequence",
        bounds="[1, 1000000000]",
    )
    serve_max_window_steps: int = knob(
        51_200,
        "steps of the windows of 'encode_windows', which go through the network all at once: 256 "
        "windows of 200",
        "--serve-max-window-steps",
        bounds="[1, 1000000000]",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.serve_max_steps < self.serve_max_observations:
            raise UsageError(
                "--serve-max-steps must be at least --serve-max-observations. "
                f"Received: {self.serve_max_steps} and {self.serve_max_observations}."
            )
