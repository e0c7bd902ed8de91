"""File systems for faults: small ones, and such that cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tools.faults.workplace import Workplace


@cache
def obstacle() -> str:
    """Why nothing can be mounted here; "" where it can."""
    if os.geteuid():
        return "only root may mount file systems"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True
        )
        if done.returncode:
            return f"mount is refused: {done.stderr.decode().strip()}"
        _run("umount", folder)
    return ""


def move_to_small_disk(place: Workplace, room: int) -> None:
    """Puts the output folder on a file system of its own, on which so many bytes are left."""
    with place.hidden():
        kept = place.folder / "moved"
        shutil.rmtree(kept, ignore_errors=True)
        place.output.rename(kept)
        place.output.mkdir()
        _run("mount", "-t", "tmpfs", "-o", "size=256m", "none", str(place.output))
        shutil.copytree(kept, place.output, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(kept)
        used = os.statvfs(place.output)
        size = (used.f_blocks - used.f_bfree) * used.f_bsize + room
        _run("mount", "-o", f"remount,size={size}", str(place.output))


def move_back(place: Workplace) -> None:
    """Puts the output folder back on the disk that it was on."""
    with place.hidden():
        kept = place.folder / "moved"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(place.output, kept, symlinks=True)
        _run("umount", str(place.output))
        place.output.rmdir()
        kept.rename(place.output)


def make_read_only(folder: Path) -> None:
    """Lets nothing in a folder be changed, by root neither."""
    _run("mount", "--bind", str(folder), str(folder))
    _run("mount", "-o", "remount,bind,ro", str(folder))


def make_writable(folder: Path) -> None:
    """Undoes :func:`make_read_only`."""
    _run("umount", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
