"""Bits that flip in a pushed version: whoever uses it must be told."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from astromer.serving.versions.folder import newest
from astromer.system.errors import DamagedVersionError, ModelError
from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.flip import draw_file, flip
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

_FILES = ("*.pb", "checksums.txt", "variables/*", "assets.extra/*")


@dataclass(frozen=True)
class PushedFlip(Fault):
    """A bit of a copy of a pushed version flips, and a program uses it.

    Attributes:
        program: "embed", "verify" or "finetune".
        seed: of where.
    """

    kind: ClassVar[str] = "pushed version"

    program: str = "embed"
    seed: int = 0

    @property
    def told(self) -> str:
        return f"a bit of a pushed version flips, then {self.program} ({self.seed})"

    def prepare(self, place: Workplace, attempt: int) -> None:
        rng = Random(self.seed)
        version = newest(place.serving)
        assert version is not None
        copies = place.folder / "copies"
        shutil.rmtree(copies, ignore_errors=True)
        shutil.copytree(version, copies / version.name)
        flip(draw_file(copies / version.name, _FILES, rng), rng)

    def run(self, place: Workplace, attempt: int) -> Ended:
        model = place.folder / "copies"
        [version] = model.iterdir()
        fold = str(place.data / "second" / "fold_0")
        options = {
            "embed": [
                "embed",
                "--model",
                str(model),
                "--data",
                fold,
                "--out",
                "embeddings.parquet",
            ],
            "verify": ["versions", "verify", version.name, "--model", str(model)],
            "finetune": [
                "finetune",
                "--model",
                str(model),
                "--data",
                fold,
                "--output",
                "finetuned",
            ],
        }
        name, *rest = options[self.program]
        return place.launch([sys.executable, "-m", "astromer", name, *rest], "program").end()

    def lift(self, place: Workplace, attempt: int) -> None:
        shutil.rmtree(place.folder / "copies")
        shutil.rmtree(place.folder / "finetuned", ignore_errors=True)

    def offences(self, ended: Ended) -> list[str]:
        return unclear(ended, (DamagedVersionError.exit_code, ModelError.exit_code))


def draw_pushed_flip(stage: str, profile: Profile, rng: Random) -> PushedFlip:
    """Any bit, any program."""
    program = rng.choice(("embed", "embed", "verify", "finetune"))
    return PushedFlip(component=stage, program=program, seed=rng.randrange(1 << 30))
