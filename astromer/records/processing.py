"""What was done to a survey's values: written beside the records, so that it is known later."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.records.calibration import Calibration
from astromer.records.config import MissingErrorsConfig
from astromer.system.untrusted_files import read_toml


@dataclass(frozen=True)
class Processing:
    """How values became what the records hold.

    Attributes:
        calibration: of magnitudes and times.
        errors: what became of missing errors.
        bands: the bands that were kept; all where there are none.
    """

    calibration: Calibration
    errors: MissingErrorsConfig
    bands: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; only what was done."""
        done: dict[str, Any] = {"missing_errors": self.errors.missing_errors}
        if self.errors.missing_errors != "refuse":
            done["error_fill"] = self.errors.error_fill
        if self.calibration.zero_point is not None:
            done["kind"] = "flux"
            done["zero_point"] = self.calibration.zero_point
        if self.calibration.time_offset:
            done["time_offset"] = self.calibration.time_offset
        if self.bands:
            done["bands"] = list(self.bands)
        return done

    def to_toml(self) -> str:
        """A table ``[processing]``."""
        # JSON strings, numbers and lists are valid TOML.
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.as_dict().items()]
        return "\n".join(["", "[processing]", *lines, ""])


def read_processing(config: Path | None) -> dict[str, Any]:
    """The table ``[processing]`` of a fold's ``config.toml``; empty where nothing is known."""
    if config is None:
        return {}
    try:
        found = read_toml(config).get("processing")
    except (OSError, ValueError):
        return {}  # records are read without their config
    return found if isinstance(found, dict) else {}
