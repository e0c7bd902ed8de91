"""Folders of versions that hold files like those of models, and no model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astromer.serving.versions import folder as folders
from astromer.serving.versions.promotion import push_version


def saved_model(place: Path, text: str = "graph", **facts: Any) -> Path:
    """Files like those of an exported model, and the facts of a card."""
    extra = place / "assets.extra"
    extra.mkdir(parents=True)
    (place / "variables").mkdir()
    (place / "saved_model.pb").write_text(text)
    (place / "variables" / "variables.index").write_text(text)
    (extra / "config.json").write_text(json.dumps({"window_size": 20, "metadata": {}}))
    (extra / "weights.npz").write_text(text)
    if facts:
        (extra / "card.json").write_text(json.dumps(facts))
        (place / "README.md").write_text(f"# card of {text}\n")
    return place


@pytest.fixture
def pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Pushes versions 1, 2, ... to a folder; the last argument is how many."""
    monkeypatch.setattr(folders.time, "time", lambda: 1)

    def push(folder: Path, count: int = 3, **facts: Any) -> Path:
        for number in range(1, count + 1):
            model = saved_model(
                tmp_path / "models" / f"{folder.name}-{number}", str(number), **facts
            )
            push_version(model, folder)
        return folder

    return push
