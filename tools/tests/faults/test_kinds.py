"""Every kind of fault can be drawn, the same one for the same seed, and told in words."""

from __future__ import annotations

from random import Random

import pytest

from tools.faults.kinds import KINDS
from tools.faults.outcome import Outcome
from tools.faults.profile import Profile
from tools.faults.stages import STAGES

PROFILE = Profile(dict.fromkeys(STAGES, 1.0), dict.fromkeys(STAGES, 10), Outcome("", [], {}), [])


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_drawn(name: str) -> None:
    kind = KINDS[name]
    drawn = [[kind.draw(s, PROFILE, Random(seed)) for s in kind.stages] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    for stage, fault in zip(kind.stages, drawn[0], strict=True):
        assert fault.component == stage in STAGES
        assert fault.kind == name
        assert fault.told
        assert isinstance(kind.obstacle(), str)
