"""Folders and artifacts that components are tried on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.types import artifact_utils, standard_artifacts

from astromer.light_curves import LightCurve
from components.example_gen.component import FoldExampleGen
from components.example_gen.executor import Executor
from tests.pipeline.folds import make_curves, write_fold


def artifact(kind: type[types.Artifact], folder: Path) -> Any:
    """An artifact with an existing, empty folder."""
    made = kind()
    folder.mkdir(parents=True, exist_ok=True)
    made.uri = str(folder)
    return made


def run_example_gen(fold: Path, folder: Path, **settings: Any) -> Any:
    """Runs FoldExampleGen's executor on a fold."""
    component = FoldExampleGen(str(fold), {"train": [str(fold / "train/0.record")]}, **settings)
    examples = artifact(standard_artifacts.Examples, folder)
    Executor().Do({}, {"examples": [examples]}, component.spec.exec_properties)
    return examples


def split_files(examples: Any, split: str) -> list[Path]:
    """The shards of a split."""
    return sorted(Path(artifact_utils.get_split_uri([examples], split)).iterdir())


@pytest.fixture
def curves() -> list[LightCurve]:
    return make_curves(12)


@pytest.fixture
def fold(tmp_path: Path) -> Path:
    return write_fold(tmp_path / "fold")
