"""Spark itself, from the package index, for what needs a session of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.conftest import OFFLINE, ROOT


def fetch_spark(folder: Path) -> str:
    """Does what ``make spark`` does, into a folder.

    Returns:
        Why it cannot be done here; empty where it was done.

    Raises:
        RuntimeError: it went wrong.
    """
    if not shutil.which("java"):
        return "needs Java"
    command = ["sh", "tools/scripts/add_spark.sh", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if re.search(OFFLINE, done.stderr):
        return f"needs packages that cannot be fetched: {done.stderr.strip()[:200]}"
    if done.returncode:
        raise RuntimeError(done.stderr)
    return ""
