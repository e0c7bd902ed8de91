"""What the page about a run is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.reports.lineage import Lineage
from astromer.windows.config import MaskingConfig


@dataclass(frozen=True)
class Run:
    """One model, the light curves that it is tried on, and what is known of both.

    Attributes:
        title: what the model is called.
        model: the model.
        model_config: ``config.json`` of its SavedModel, see :mod:`astromer.serving.export`.
        curves: of the split.
        split: its name.
        data: where the records are.
        masking, seed: what is hidden from the model.
        metrics: of the whole split, by "model" and "pushed_model", where it was evaluated.
        blessed: whether the model may be served; None where nobody has judged.
        reasons: why not.
        pushed: folder of the pushed version; "" where there is none.
        validation: folder of what the validation found; None where it is not known.
        logs: folder of the TensorBoard logs; None where it is not known.
        lineage: what led to the model.
    """

    title: str
    model: Reconstructor
    model_config: Mapping[str, Any]
    curves: LightCurves
    split: str
    data: str
    masking: MaskingConfig
    seed: int
    metrics: Mapping[str, Any] = field(default_factory=dict)
    blessed: bool | None = None
    reasons: str = ""
    pushed: str = ""
    validation: Path | None = None
    logs: Path | None = None
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was kept beside the weights."""
        return self.model_config.get("metadata", {})
