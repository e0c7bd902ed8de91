"""The processes that a program has started."""

from __future__ import annotations

from pathlib import Path


def descendants(program: int) -> dict[int, bytes]:
    """The words of each process of a program, of itself first; null bytes end them."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [program]
    for one in found:  # grows in the loop
        found += children.get(one, [])
    return {one: _read(one, "cmdline") for one in found}


def has_loaded(process: int, library: bytes) -> bool:
    """Whether a library's files are in the memory of a process."""
    return library in _read(process, "maps")


def works(process: int) -> bool:
    """Whether a process is there and has not ended; some wait to be reaped."""
    return _read(process, "stat").rpartition(b")")[2].split()[:1] not in ([], [b"Z"])


def _read(process: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{name}").read_bytes()
    except OSError:
        return b""
