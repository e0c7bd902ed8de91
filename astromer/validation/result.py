"""The outcome of a validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from astromer.light_curves import LightCurve
from astromer.validation.findings import Finding, Findings
from astromer.validation.profile import SplitProfile

OFFENDERS_PER_RULE = 3


@dataclass(frozen=True)
class Validation:
    """What was looked at, what was found, and what is left out.

    Attributes:
        curves: light curves looked at, by split.
        findings: every object that breaks a rule, in the order of splits, files and records.
        rejected: positions in the split's order of what is left out, int64 rising, by split.
        profiles: what the accepted light curves are like, by split.
        offenders: the first few findings of each rule, with the light curve. Where its
            series are unequally long, the longer ones are cut.
        warned: rules whose findings do not leave the object out.
    """

    curves: Mapping[str, int]
    findings: Findings
    rejected: Mapping[str, np.ndarray]
    profiles: Mapping[str, SplitProfile]
    offenders: tuple[tuple[Finding, LightCurve], ...]
    warned: frozenset[str] = frozenset()

    @property
    def num_curves(self) -> int:
        """Light curves looked at, in all splits together."""
        return sum(self.curves.values())

    @property
    def num_rejected(self) -> int:
        """Light curves left out, in all splits together."""
        return sum(len(positions) for positions in self.rejected.values())

    @property
    def fraction_rejected(self) -> float:
        return self.num_rejected / self.num_curves if self.num_curves else 0.0

    def accepted(self, split: str) -> int:
        """Light curves of a split that are kept."""
        return self.curves[split] - len(self.rejected[split])

    def to_dict(self) -> dict[str, Any]:
        """Numbers as plain JSON types; the findings themselves are a table of their own."""
        return {
            "curves": dict(self.curves),
            "rejected": {split: len(positions) for split, positions in self.rejected.items()},
            "findings": dict(self.findings.counts()),
            "profiles": {split: profile.to_dict() for split, profile in self.profiles.items()},
        }
