"""Where a run whose output lies in a store keeps what must be on this machine."""

from __future__ import annotations

from pathlib import Path

from astromer.system.storage import RemotePath


def local_folder(output: Path) -> Path:
    """The folder of the metadata database and of log files that belongs to an output folder.

    SQLite locks and changes its file in place, and a log grows line by line: no store does that.

    Returns:
        The output folder itself, or ``./outputs/stores/gs/bucket/...`` for one in a store.
    """
    if not isinstance(output, RemotePath):
        return output
    return Path("outputs", "stores", output.scheme, *output.parts[1:]).absolute()
