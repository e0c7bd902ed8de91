"""Every kind of fault, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.faults.cached import CachedFlip, ModelFlip, draw_cached_flip, draw_model_flip
from tools.faults.checkpoints import DamagedCheckpoint, draw_damaged_checkpoint
from tools.faults.clock import WrongClock, draw_wrong_clock
from tools.faults.database import DamagedDatabase, draw_damaged_database
from tools.faults.disk import FullDisk, ReadOnly, draw_full_disk, draw_read_only
from tools.faults.fault import Draw
from tools.faults.kill import Kill, draw_kill
from tools.faults.memory import ShortMemory, draw_short_memory
from tools.faults.mounts import obstacle as mount_obstacle
from tools.faults.pushed import PushedFlip, draw_pushed_flip
from tools.faults.records import DamagedRecords, draw_damaged_records
from tools.faults.stages import CLOSING, COMPONENTS, REPORTER, STAGES, START
from tools.faults.two_runs import TwoRuns, draw_two_runs


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        draw: makes one for a stage.
        stages: those it can be aimed at; trials go through them in turn.
        trials: how many there are in a whole campaign, unless the command line says otherwise.
        obstacle: why there can be none on this machine; "" where there can.
    """

    draw: Draw
    stages: tuple[str, ...] = STAGES
    trials: int = 1
    obstacle: Callable[[], str] = lambda: ""


_AFTER_TRAINING = ("Baseline", "Evaluator", "Pusher")
_LATE = ("Trainer", *_AFTER_TRAINING, REPORTER, CLOSING)

KINDS: dict[str, Kind] = {
    Kill.kind: Kind(draw_kill, STAGES, 110),
    FullDisk.kind: Kind(draw_full_disk, STAGES, 45, mount_obstacle),
    ReadOnly.kind: Kind(draw_read_only, (START, "Trainer", "Pusher", CLOSING), 8, mount_obstacle),
    DamagedRecords.kind: Kind(draw_damaged_records, (START, *_LATE), 14),
    CachedFlip.kind: Kind(draw_cached_flip, _LATE, 18),
    ModelFlip.kind: Kind(draw_model_flip, _AFTER_TRAINING, 6),
    DamagedCheckpoint.kind: Kind(draw_damaged_checkpoint, ("Trainer",), 8),
    PushedFlip.kind: Kind(draw_pushed_flip, (CLOSING,), 12),
    DamagedDatabase.kind: Kind(draw_damaged_database, (START, "Trainer", "Pusher", CLOSING), 12),
    WrongClock.kind: Kind(draw_wrong_clock, (START, "Trainer", "Pusher"), 6),
    ShortMemory.kind: Kind(draw_short_memory, (START, "LightCurveValidator", "Trainer"), 12),
    TwoRuns.kind: Kind(draw_two_runs, COMPONENTS, 8),
}
