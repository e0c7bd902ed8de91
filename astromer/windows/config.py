"""How the steps of a window are masked."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob
from astromer.system.errors import UsageError


@dataclass(frozen=True)
class MaskingConfig(Config):
    """Which steps of a window are probed, and what the network sees of them (BERT's recipe)."""

    probed: float = knob(
        0.5,
        "fraction of the observed steps that is probed (Astromer 1)",
        "--probed",
        bounds="[0, 1]",
    )
    same: float = knob(
        0.2, "fraction of the probed steps that stay as they are", "--same", bounds="[0, 1]"
    )
    random: float = knob(
        0.2,
        "fraction of the other probed steps that show another step's magnitude",
        "--random",
        bounds="[0, 1]",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.probed == 1 and self.same == 0:
            raise UsageError(
                "--probed and --same must leave steps that show their magnitude. Received: "
                "all steps probed and none of them the same."
            )
