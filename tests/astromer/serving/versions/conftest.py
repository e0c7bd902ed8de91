"""Folders of versions on this machine and in a store."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["here", "store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a folder of versions may lie: on this machine and in a store."""
    if request.param == "store":
        return request.getfixturevalue("store") / "serving" / "astromer"
    return tmp_path / "serving" / "astromer"
