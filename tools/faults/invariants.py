"""What must hold after any run, however it ended. Each function tells what does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from astromer.serving.checksums import verify
from astromer.serving.versions.folder import WITHDRAWN, aliased, is_number
from astromer.serving.versions.promotion import STAGING
from astromer.system.errors import AstromerError
from astromer.system.untrusted_files import READ_ERRORS
from tools.faults.metadata import damage
from tools.faults.run import Ended
from tools.faults.workplace import Workplace


def at_once(place: Workplace, ended: Ended) -> list[str]:
    """What must hold right after a run, killed or not."""
    return [
        *half_versions(place.serving),
        *bad_alias(place.serving),
        *lost_checkpoints(place.output),
        *left_processes(ended.session),
        *damage(place.database),
    ]


def half_versions(serving: Path) -> list[str]:
    """Versions that lack a file, or have one that is not as it was pushed."""
    found = []
    for folder in (serving, serving / WITHDRAWN):
        numbers = [path for path in _listed(folder) if is_number(path.name)]
        for version in numbers:
            try:
                differences = verify(version)
            except AstromerError as error:
                found.append(f"half version: {error}")
                continue
            if differences is None:
                found.append(f"half version: {version.name} has no checksums")
            elif differences:
                found.append(f"half version: {version.name}: {differences}")
    return found


def bad_alias(serving: Path) -> list[str]:
    """Whether the alias names a whole version."""
    try:
        if aliased(serving) is None:
            return ["bad alias: there is none"]
    except AstromerError as error:
        return [f"bad alias: {error}"]
    return []


def lost_checkpoints(output: Path) -> list[str]:
    """Training states that cannot be read."""
    found = []
    for state in output.glob("training/*/checkpoints/state.npz"):
        try:
            read_progress(state)
        except READ_ERRORS as error:
            found.append(f"lost checkpoint: {state} ({error})")
    return found


def read_progress(state: Path) -> tuple[int, int]:
    """Epoch and step of a training state, all of which is read."""
    with np.load(state) as arrays:
        for name in arrays.files:
            arrays[name]
        progress = json.loads(arrays["progress.json"].item())
    return progress["epoch"], progress["step"]


def left_processes(session: int) -> list[str]:
    """Processes of a session whose leader has ended."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            command = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # it has ended just now
        ending = fields[0] in "ZX" or not command  # what is being ended has no memory any more
        if int(fields[3]) == session and not ending:
            found.append(f"leftover process: {folder.name}: {command[:120]}")
    return found


def staged_leftovers(serving: Path) -> list[str]:
    """What lies where versions are made."""
    staged = serving.parent / STAGING / serving.name
    return [f"staging leftover: {staged}"] if staged.exists() else []


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
