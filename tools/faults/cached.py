"""Bits that flip in what the run has made so far: artifacts in the cache, the model on its way."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from astromer.system.errors import ModelError, NotBlessedError, RecordError
from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.flip import draw_file, flip
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace


@dataclass(frozen=True)
class CachedFlip(Fault):
    """A bit of an artifact flips between two runs of the same command.

    Attributes:
        seed: of which artifact, and where.
    """

    kind: ClassVar[str] = "cache"

    seed: int = 0

    @property
    def told(self) -> str:
        return f"a bit of a cached artifact flips ({self.seed})"

    def prepare(self, place: Workplace, attempt: int) -> None:
        rng = Random(self.seed)
        made = place.made_before(self.component)
        flip(draw_file(place.output, tuple(f"{folder}/**/*" for folder in made), rng), rng)

    def offences(self, ended: Ended) -> list[str]:
        return unclear(ended, (0,))


def draw_cached_flip(stage: str, profile: Profile, rng: Random) -> CachedFlip:
    """Any bit of anything that this command has made before the stage."""
    return CachedFlip(component=stage, seed=rng.randrange(1 << 30))


@dataclass(frozen=True)
class ModelFlip(Fault):
    """A bit of the trained model flips while the run goes on, before it is pushed.

    Attributes:
        seed: of where.
    """

    kind: ClassVar[str] = "model on its way"

    seed: int = 0

    @property
    def told(self) -> str:
        return f"a bit of the model flips as {self.component} begins ({self.seed})"

    def run(self, place: Workplace, attempt: int) -> Ended:
        run = place.start(self.component, wishes={"pause": True})
        while run.listen():
            place.wait_until_stopped(run)
            if run.stage == self.component:
                rng = Random(self.seed)
                model = max((place.output / "pipeline/Trainer/model").iterdir(), key=_number)
                flip(draw_file(model / "Format-Serving", ("**/*",), rng), rng)
            run.go_on()
        return run.end()

    def offences(self, ended: Ended) -> list[str]:
        codes = (ModelError, NotBlessedError, RecordError)
        return unclear(ended, (*(kind.exit_code for kind in codes), 13))


def _number(folder: object) -> int:
    return int(str(folder).rsplit("/", 1)[1])


def draw_model_flip(stage: str, profile: Profile, rng: Random) -> ModelFlip:
    """Any bit of it."""
    return ModelFlip(component=stage, seed=rng.randrange(1 << 30))
