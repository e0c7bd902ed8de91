"""What must be true once the same command has ended without a fault."""

from __future__ import annotations

from pathlib import Path

from astromer.serving.versions.folder import versions
from tools.faults.invariants import staged_leftovers
from tools.faults.metadata import live_uris, orphans
from tools.faults.outcome import read_course, read_outcome
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.shape import shape_of
from tools.faults.stages import AFTER_PUSH
from tools.faults.workplace import Workplace

_UNREADABLE = (OSError, ValueError, KeyError)


def after(
    place: Workplace,
    ended: Ended,
    profile: Profile,
    stage: str,
    before: int,
    saved: tuple[int, int] | None,
    codes: tuple[int, ...] = (0,),
    identical: bool = True,
) -> list[str]:
    """What is wrong after the last run.

    Args:
        place: where it ran.
        ended: how it ended.
        profile: an undisturbed run.
        stage: the state that the trial began in.
        before: how many versions there were then.
        saved: epoch and step of the training's state before this run; None where there was none.
        codes: exit codes that are right.
        identical: whether the model must be that of the undisturbed run.
    """
    found = []
    if ended.code not in codes:
        found.append(f"wrong exit code: the repeat ended with {ended.code}: {ended.said[:300]}")
    if "Traceback" in ended.stderr:
        found.append("the repeat told a traceback")
    found += staged_leftovers(place.serving)
    found += leftovers(place.output, profile.shape)
    found += orphans(place.database)
    found += unclaimed(place.output, place.database)
    if ended.code:
        return found
    expected = before + (stage not in AFTER_PUSH)
    if (there := len(versions(place.serving))) != expected:
        found.append(f"{there} versions where there must be {expected}")
    if identical:
        found += _differences(place, profile, saved)
    return found


def leftovers(output: Path, shape: list[str]) -> list[str]:
    """Files of a kind that an undisturbed run does not leave."""
    return [f"leftover: {path}" for path in shape_of(output) if path not in shape]


def unclaimed(output: Path, database: Path) -> list[str]:
    """Folders of artifacts that no live artifact names: what a killed component had begun."""
    live = live_uris(database)
    folders = (path for path in output.glob("pipeline/*/*/*") if path.parent.name[0] != ".")
    return [
        f"leftover: {folder.relative_to(output)} is no artifact's"
        for folder in folders
        if str(folder) not in live and f"{folder}/value" not in live
    ]


def _differences(place: Workplace, profile: Profile, saved: tuple[int, int] | None) -> list[str]:
    try:
        outcome = read_outcome(place.output, place.serving)
        course = read_course(versions(place.serving)[-1])
    except _UNREADABLE as error:
        return [f"no readable outcome: {type(error).__name__}: {error}"]
    found = [f"not bit-identical: {name}" for name in outcome.differences(profile.outcome)]
    epochs = len(course["history"])
    if saved not in (None, (0, 0)) and saved < (epochs, 0) and list(saved) not in course["resumed"]:
        found.append(f"lost checkpoint: {saved} was saved, resumed from {course['resumed']}")
    return found
