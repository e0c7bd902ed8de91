"""What one of several processes does to a folder of versions at once."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from astromer.serving.versions.folder import latest_version
from astromer.serving.versions.promotion import promote, push_version


def promote_all(folder: Path, seconds: float) -> int:
    """Promotes versions 1, 2 and 3 in turn."""
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        promote(folder, str(done % 3 + 1))
        done += 1
    return done


def push_all(folder: Path, count: float) -> int:
    for _ in range(int(count)):
        push_version(folder.parent.parent / "models" / "astromer-1", folder)
    return int(count)


def read_all(folder: Path, seconds: float) -> int:
    """Reads what the alias names, as this package does and by way of the link."""
    seen, end = set(), time.monotonic() + seconds
    while time.monotonic() < end:
        version = latest_version(folder)
        text = (version / "saved_model.pb").read_text()
        assert text == version.name
        assert (version / "variables" / "variables.index").read_text() == text
        assert (folder / "latest" / "saved_model.pb").read_text() in ("1", "2", "3")
        seen.add(text)
    return len(seen)


if __name__ == "__main__":
    print("begun", flush=True)
    print(globals()[sys.argv[1]](Path(sys.argv[2]), float(sys.argv[3])))
