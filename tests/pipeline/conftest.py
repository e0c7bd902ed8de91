"""Folds that pipelines are tried on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.folds import write_fold


@pytest.fixture(scope="session")
def fold_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small fold, which no test changes."""
    return write_fold(tmp_path_factory.mktemp("fold") / "fold")
