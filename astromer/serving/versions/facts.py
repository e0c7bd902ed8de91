"""What the files of a version tell about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astromer.system.untrusted_files import read_json

CARD_FILE = "README.md"
"""The card of a version, under the name that model hubs and file browsers show."""

FACTS_FILE = "card.json"
"""In ``assets.extra``: the facts of the card, for programs."""

ENCODER, CLASSIFIER = "encoder", "classifier"

_EXTRA, _CONFIG = "assets.extra", "config.json"  # as astromer.serving.export names them


def read_facts(version: Path) -> dict[str, Any]:
    """Facts of the card; empty where there is none, or it cannot be read."""
    return _read(version / _EXTRA / FACTS_FILE)


def read_settings(version: Path) -> dict[str, Any]:
    """The model's config; empty where it cannot be read."""
    return _read(version / _EXTRA / _CONFIG)


def kind_of(config: Mapping[str, Any]) -> str:
    """What a model is, by its config."""
    return CLASSIFIER if "head" in config else ENCODER


def _read(file: Path) -> dict[str, Any]:
    try:
        found = read_json(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
