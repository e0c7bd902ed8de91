"""One trial: a state, a fault, what came of it, and the same command again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from astromer.errors import AstromerError
from astromer.npz import DAMAGED
from astromer.versions.folder import versions
from faults.aftermath import after
from faults.fault import Fault
from faults.invariants import at_once, read_progress
from faults.profile import Profile
from faults.record import Record
from faults.run import Ended
from faults.workplace import Workplace

Load = Callable[[], list[str]]
"""Loads what is served at this moment, and tells what went wrong."""


def run_trial(
    number: int, place: Workplace, fault: Fault, profile: Profile, load: Load, found: Path
) -> Record:
    """Runs a trial.

    Args:
        number: of the trial in the campaign.
        place: where; it is put into the state before ``fault.component``.
        fault: what is done to the run.
        profile: an undisturbed run.
        load: see :data:`Load`.
        found: folder that takes what runs printed and logged where something is wrong.
    """
    started = time.monotonic()
    place.restore(fault.component)
    before = len(versions(place.serving))
    offences: list[str] = []
    runs: list[Ended] = []
    struck: list[str] = []
    for attempt in range(fault.times):
        fault.prepare(place, attempt)
        try:
            ended = fault.run(place, attempt)
        finally:
            fault.lift(place, attempt)
        runs.append(ended)
        if fault.has_struck(ended):
            struck.append(ended.last_stage)
        offences += fault.offences(ended)
        offences += at_once(place, ended)
        offences += load()
    saved = _saved(place.output)
    ended = place.start(fault.component).end()
    runs.append(ended)
    offences += at_once(place, ended)
    offences += after(
        place,
        ended,
        profile,
        fault.component,
        before,
        saved,
        fault.repeat_codes,
        fault.identical,
    )
    offences += load()
    if offences:
        _keep(found / f"{number}", place, runs)
    return Record(
        number,
        fault.kind,
        fault.component,
        fault.told,
        struck,
        [run.code for run in runs],
        round(time.monotonic() - started, 2),
        list(dict.fromkeys(offences)),
    )


def _saved(output: Path) -> tuple[int, int] | None:
    states = sorted(output.glob("training/*/checkpoints/state.npz"), key=lambda p: p.stat().st_mtime)
    try:
        return read_progress(states[-1]) if states else None
    except (*DAMAGED, AstromerError):
        return None  # told by the invariants


def _keep(folder: Path, place: Workplace, runs: list[Ended]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, run in enumerate(runs):
        (folder / f"{number}.stdout").write_text(run.stdout, encoding="utf-8")
        (folder / f"{number}.stderr").write_text(run.stderr, encoding="utf-8")
    logs = place.output / "logs"
    if logs.is_dir():
        shutil.copytree(logs, folder / "logs")
