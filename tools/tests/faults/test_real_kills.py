"""Real runs are killed, twice, and the third one ends as if nothing had been."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from astromer.serving.versions.folder import versions
from tests.pipeline.folds import write_fold
from tools.faults.aftermath import unclaimed
from tools.faults.invariants import at_once, read_progress, staged_leftovers
from tools.faults.kill import Blow, Kill
from tools.faults.metadata import orphans
from tools.faults.outcome import read_course
from tools.faults.workplace import Workplace

TINY = ("--hidden=8", "--n-heads=2", "--n-layers=1", "--window=20", "--bs=16", "--epochs=2")
TINY += ("--debug",)  # a model of so little is pushed nowhere else


class Place(Workplace):
    """A workplace whose first run has nothing before it, and no snapshots."""

    def command(self, stage: str = "", extra: Sequence[str] = ()) -> list[str]:
        return self._command(self.data, [*TINY, "--no-report", *extra])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, list[list[str]]]:
    """The place after all three runs, and what was wrong right after each of them."""
    place = Place(tmp_path_factory.mktemp("place"))
    write_fold(place.data)
    kill = Kill("Trainer", blows=(Blow(signal.SIGKILL, False, operation=40),))
    stop = Kill("Pusher", blows=(Blow(signal.SIGTERM, True, operation=100),))
    wrong = []
    for number, fault in enumerate((kill, stop)):
        ended = fault.run(place, 0)
        assert fault.has_struck(ended), f"{ended.operations} {ended.stderr}"
        assert ended.struck == ("Trainer", "Pusher")[number]
        wrong.append([*fault.offences(ended), *at_once(place, ended)])
    ended = place.start().end()
    assert ended.code == 0, ended.stderr
    wrong.append(at_once(place, ended))
    return place, wrong


def test_nothing_is_half_done_at_any_time(runs):
    _, wrong = runs
    nothing_pushed = ["bad alias: there is none"]
    assert wrong[0] == nothing_pushed
    assert wrong[1] in ([], nothing_pushed)
    assert wrong[2] == []


def test_one_version_and_nothing_besides(runs):
    place, _ = runs
    assert len(versions(place.serving)) == 1
    assert staged_leftovers(place.serving) == []
    assert unclaimed(place.output, place.database) == []
    assert orphans(place.database) == []


def test_the_training_went_on_where_it_was_saved(runs):
    place, _ = runs
    [state] = place.output.glob("training/*/checkpoints/state.npz")
    assert read_progress(state) == (2, 0)
    [version] = versions(place.serving)
    assert len(read_course(version)["history"]) == 2


def test_a_run_by_hand_is_not_told_of_campaigns(runs):
    place, _ = runs
    logs = "".join(log.read_text() for log in Path(place.output / "logs").glob("*.log"))
    assert "FAULTS_INSIDE" not in logs
