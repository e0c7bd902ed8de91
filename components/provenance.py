"""Where results come from: the state of the code, and one name for a training run."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx import types

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


MISSING_ERRORS, ERROR_FILL = "missing_errors", "error_fill"
"""As in ``MissingErrorsConfig``; custom properties of the Examples, too."""

PROCESSING = "processing"
"""Custom property of the Examples: what was done to the values of the survey, as JSON."""

SOURCES_FILE = "sources.json"
"""In the artifact's folder: by split, the record files and how many records each gave."""

FOLD = "fold"
DATA_FINGERPRINT = "data_fingerprint"
NUM_CURVES = "num_curves"
NUM_OBSERVATIONS = "num_observations"
"""Custom properties of the Examples artifact; the last two are ``<name>_<split>``.

The data fingerprint tells the content: a copied or touched file keeps it, a changed, added,
removed or reordered light curve does not.
"""


def set_property(artifact: types.Artifact, name: str, value: str | float) -> None:
    """Sets a custom property of the value's type."""
    if isinstance(value, int):
        artifact.set_int_custom_property(name, value)
    elif isinstance(value, float):
        artifact.set_float_custom_property(name, value)
    else:
        artifact.set_string_custom_property(name, str(value))


def flatten(facts: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif isinstance(value, (str, bool, int, float)):
            flat[prefix + name] = value
    return flat
