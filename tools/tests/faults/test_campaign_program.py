"""The commands of docs/faults.md, with trials that take no time; test_real_kills has real ones."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar

import pytest

from astromer.system.errors import UsageError
from tests.docs.pages import BLOCKS
from tools.faults import campaign, driver
from tools.faults.kinds import KINDS
from tools.tests.benchmarks.test_documented import options_of_make


class Stub:
    """Takes what a campaign is asked for, and finds one offence where it is told to."""

    asked: ClassVar[list[tuple[int, dict[str, int], int]]] = []
    offences = 0

    def __init__(self, folder: Path, seed: int, trials: dict[str, int], stages):
        self.seed, self.trials, self.found = seed, trials, folder

    def run(self, jobs: int, until: float | None) -> None:
        Stub.asked.append((self.seed, self.trials, jobs))

    def table(self) -> str:
        return "the table"

    def wrong(self) -> int:
        return Stub.offences


@pytest.fixture(autouse=True)
def stub(monkeypatch):
    monkeypatch.setattr(driver, "Campaign", Stub)
    monkeypatch.setattr(Stub, "asked", [])
    monkeypatch.setattr(Stub, "offences", 0)


def test_the_documented_commands(capsys):
    [block] = [b for b in BLOCKS if b.page == "docs/faults.md" and b.text.startswith("make faults")]
    for line in block.text.splitlines():
        campaign.main(options_of_make(shlex.split(line, comments=True)))
    (seed, trials, _), (other, fewer, _) = Stub.asked
    assert (seed, other, fewer["kill"]) == (1, 2, 30)
    assert trials["kill"] == KINDS["kill"].trials
    assert capsys.readouterr().out.count("the table") == 2


def test_what_was_wrong_is_an_exit_code_of_its_own(capsys):
    Stub.offences = 3
    with pytest.raises(campaign.FaultsFoundError, match="in 3 trials"):
        campaign.main(["--kinds", "kill", "--table"])
    assert Stub.asked == []
    assert "the table" in capsys.readouterr().out


def test_unknown_kinds_are_refused():
    with pytest.raises(UsageError, match="--kinds takes kill, .* Received: fire"):
        campaign.main(["--kinds", "fire"])
