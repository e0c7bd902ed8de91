"""What ``latest`` named before: a short journal of the alias, for going back.

Every move is written down before it is made and marked as done after it. A process that was killed
in between leaves an entry that is not done; whether the move was made is seen from the alias.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from astromer.serving.versions.folder import KEPT
from astromer.system.atomic import write_file
from astromer.system.untrusted_files import read_json

HISTORY_FILE = "history.json"
_MOST = 200  # entries that are kept

PUSH, PROMOTE, ROLLBACK = "push", "promote", "rollback"


@dataclass(frozen=True)
class Move:
    """A move of the alias.

    Attributes:
        action: "push", "promote" or "rollback".
        before: number that the alias named before; None where there was no alias.
        after: number that it names then.
        time: Unix time [s].
        done: whether it is known to have been made.
    """

    action: str
    before: str | None
    after: str
    time: float
    done: bool = False


def read_history(folder: Path) -> list[Move]:
    """The moves, oldest first; none where nothing, or nothing readable, is written down."""
    try:
        entries = read_json(folder / KEPT / HISTORY_FILE)
        return [Move(**entry) for entry in entries]
    except (OSError, ValueError, TypeError):
        return []  # a convenience: the alias itself does not depend on it


def write_history(folder: Path, moves: Sequence[Move]) -> None:
    """Replaces the journal in one step. The caller holds the folder's lock."""
    file = folder / KEPT / HISTORY_FILE
    file.parent.mkdir(exist_ok=True)
    entries = [dataclasses.asdict(move) for move in moves[-_MOST:]]
    write_file(file, json.dumps(entries, indent=1) + "\n")


def begin(folder: Path, action: str, before: str | None, after: str) -> None:
    """Writes down a move that is about to be made."""
    moves = read_history(folder)
    write_history(folder, [*moves, Move(action, before, after, time.time())])


def mark_done(folder: Path) -> None:
    """Writes down that the last move was made."""
    moves = read_history(folder)
    if moves:
        write_history(folder, [*moves[:-1], dataclasses.replace(moves[-1], done=True)])


def earlier(moves: Sequence[Move], current: str | None) -> list[str]:
    """Numbers that the alias named before ``current``, the latest first.

    What was rolled back from is forgotten. A move was made if it is marked as done, or the next one
    begins where it ends; a beginning elsewhere is a change by hand, which is gone back from, too.

    Args:
        moves: the journal.
        current: what the alias names now.
    """
    stack: list[str] = []
    beginnings = [*(move.before for move in moves[1:]), current]
    for move, beginning in zip(moves, beginnings):
        _put(stack, move.before)
        if not move.done and beginning != move.after:
            continue
        if move.action == ROLLBACK:
            while stack and stack[-1] != move.after:
                stack.pop()
        _put(stack, move.after)
    _put(stack, current)
    return stack[-2::-1] if len(stack) > 1 else []


def _put(stack: list[str], number: str | None) -> None:
    if number is not None and stack[-1:] != [number]:
        stack.append(number)
