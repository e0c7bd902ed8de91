"""Where results come from: the state of the code, and one name for a training run."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""Folder that holds the packages ``astromer`` and ``components``."""


def code_fingerprint(*places: str) -> str:
    """SHA-256 over the Python files at the given places, relative to the repository root.

    Components carry it as a parameter, since TFX's cache looks at parameters and inputs
    alone and would otherwise keep the results of code that has changed.
    """
    digest = hashlib.sha256()
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(str(file.relative_to(ROOT)).encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def settings_fingerprint(settings: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that name a set of settings; the order of keys does not matter."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def git_revision() -> str:
    """The revision of the working tree, with ``-dirty`` after it if changed, or "unknown"."""
    try:
        top, head = _git("rev-parse", "--show-toplevel", "HEAD").split("\n")
        if Path(top).resolve() != ROOT:
            return "unknown"  # installed inside some other project's repository
        return head + ("-dirty" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError, ValueError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()
