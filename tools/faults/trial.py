"""One trial: a state, a fault, what came of it, and the same command again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from astromer.serving.versions.folder import versions
from astromer.system.untrusted_files import READ_ERRORS
from tools.faults.aftermath import after
from tools.faults.fault import Fault
from tools.faults.invariants import at_once, read_progress
from tools.faults.profile import Profile
from tools.faults.record import Record
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

Load = Callable[[], list[str]]
"""Loads what is served at this moment, and tells what went wrong."""


def run_trial(
    name: str,
    place: Workplace,
    fault: Fault,
    profile: Profile,
    load: Load,
    found: Path,
    watched: Mapping[str, int],
) -> Record:
    """Runs a trial.

    Args:
        name: of the trial in the campaign.
        place: where; it is put into the state before ``fault.component``.
        fault: what is done to the run.
        profile: an undisturbed run.
        load: see :data:`Load`.
        found: folder that takes what runs printed and logged where something is wrong.
        watched: what the watcher saw, which ``load`` adds to.
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
            struck.append(ended.struck or ended.last_stage)
        offences += fault.offences(ended)
        offences += at_once(place, ended)
        offences += load()
    saved = _saved(place)
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
        _keep(found / name, place, runs)
    return Record(
        name,
        fault.kind,
        fault.component,
        fault.told,
        struck,
        [run.code for run in runs],
        round(time.monotonic() - started, 2),
        list(dict.fromkeys(offences)),
        [run.said for run in runs],
        dict(watched),
    )


def _saved(place: Workplace) -> tuple[int, int] | None:
    state = place.training_state()
    try:
        return read_progress(state) if state else None
    except READ_ERRORS:
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
