"""A process that kills a copy of itself at each of its file operations, one after the other.

It loads nothing heavy, so that a copy (a fork) costs some milliseconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from astromer.serving.checksums import Differences, verify
from astromer.serving.versions.folder import aliased, newest, versions, withdrawn
from astromer.serving.versions.promotion import promote, push_version, restore, rollback

_OPERATIONS = ("rename", "symlink", "remove", "mkdir", "rmdir")
_EVENTS = ("open", "shutil.copyfile", *(f"os.{name}" for name in _OPERATIONS))


def do(action: str, folder: Path) -> None:
    if action == "push":
        push_version(folder.parent.parent / "model", folder)
    elif action == "promote":
        promote(folder, "1", withdraw_newer=True)
    elif action == "rollback":
        rollback(folder, withdraw_newer=True)
    elif action == "restore":
        restore(folder, "3")


def killed_at(count: int, action: str, folder: Path) -> bool:
    """Whether the action was killed, before it was over, at its file operation of this number."""
    child = os.fork()
    if not child:
        left = count

        def hook(event: str, arguments: tuple) -> None:
            nonlocal left
            if event in _EVENTS and str(folder.parent) in str(arguments[0]):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        do(action, folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        assert os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def check(folder: Path, allowed: set[str]) -> None:
    named = aliased(folder)
    assert named is not None
    assert named.name in allowed, named
    for version in (*versions(folder), *withdrawn(folder)):
        assert verify(version) == Differences(), version
    # Whoever opens files by way of the link finds them.
    assert (folder / "latest" / "saved_model.pb").read_text() == verified_text(named)


def verified_text(version: Path) -> str:
    return (version / "saved_model.pb").read_text()


def main(place: Path, action: str, before: str, after: str) -> None:
    count = 0
    while True:
        folder = place / f"{action}-{count}" / "serving" / "astromer"
        shutil.copytree(place / "serving", folder.parent, symlinks=True)
        shutil.copytree(place / "model", folder.parent.parent / "model")
        killed = killed_at(count, action, folder)
        new = after
        if action == "push" and (made := newest(folder)):
            new = made.name
        check(folder, {before, new} if killed else {new})
        if not killed:
            break
        settle(action, folder)
        shutil.rmtree(folder.parent.parent)
        count += 1
    print(count)


def settle(action: str, folder: Path) -> None:
    """What a user does then ends well."""
    if action == "push":
        push_version(folder.parent.parent / "model", folder)
        assert aliased(folder) == newest(folder)
        staged = folder.parent / ".staging"
        assert not staged.exists() or list(staged.iterdir()) == []
    elif action == "restore":
        if "3" not in [version.name for version in versions(folder)]:
            restore(folder, "3")
        assert [version.name for version in versions(folder)] == ["1", "2", "3"]
    else:
        promote(folder, "1", withdraw_newer=True)
        assert aliased(folder) == newest(folder) == folder / "1"
        assert [version.name for version in withdrawn(folder)] == ["2", "3"]
    check(folder, {version.name for version in versions(folder)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
