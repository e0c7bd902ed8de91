"""Every kind of fault, by name."""

from __future__ import annotations

from dataclasses import dataclass

from faults.fault import Draw
from faults.kill import Kill, draw_kill
from faults.stages import STAGES


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        draw: makes one for a stage.
        stages: those it can be aimed at; trials go through them in turn.
        trials: how many there are in a whole campaign, unless the command line says otherwise.
    """

    draw: Draw
    stages: tuple[str, ...] = STAGES
    trials: int = 1


KINDS: dict[str, Kind] = {Kill.kind: Kind(draw_kill, STAGES, 165)}
