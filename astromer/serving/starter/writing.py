"""Writes a trained model as a starter: weights and settings, and what goes with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from astromer.serving.checksums import check_undamaged, digest, write_checksums
from astromer.serving.config import STARTER
from astromer.serving.embedder import Embedder
from astromer.serving.saved_model import CONFIG, EXTRA, WEIGHTS
from astromer.serving.starter.goldens import TOLERANCE, write_goldens
from astromer.serving.starter.package import FACTS, RESULTS, Starter, read_starter
from astromer.system.atomic import replace_folder
from astromer.system.storage import copy_file

Describe = Callable[[Path, str], None]
"""Adds files, such as a model card, to the starter of this release."""


def write_starter(
    model: Path,
    folder: Path,
    release: str,
    describe: Describe = lambda copy, release: None,
    **facts: Any,
) -> Starter:
    """Replaces a starter, whole or not at all.

    Args:
        model: an exported or pushed model.
        folder: of the starter.
        release: its version.
        describe: adds files.
        facts: JSON-able; for ``starter.json``, for instance how it was trained.

    Raises:
        ModelError: the model is damaged.
    """
    check_undamaged(model)
    with replace_folder(folder) as new:
        (new / EXTRA).mkdir()
        for name in (CONFIG, WEIGHTS):
            copy_file(model / EXTRA / name, new / EXTRA / name)
        weights = digest(new / EXTRA / WEIGHTS)
        known = {"name": STARTER, "release": release, "sha256": weights, "tolerance": TOLERANCE}
        _write(new / FACTS, known | facts)
        _write(new / RESULTS, {"sha256": weights, "surveys": {}})
        describe(new, release)
        write_checksums(new)
        write_goldens(new, Embedder(new))
        write_checksums(new)
    return read_starter(folder)


def write_results(folder: Path, surveys: dict[str, Any]) -> None:
    """Replaces what is known of a starter on surveys that it has not seen.

    Args:
        folder: of the starter.
        surveys: JSON-able results by the survey's name.
    """
    starter = read_starter(folder)
    _write(folder / RESULTS, {"sha256": starter.sha256, "surveys": surveys})
    write_checksums(folder)


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
