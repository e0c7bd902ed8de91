"""Compiled pipelines for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipeline import kubeflow_runner, vertex_runner

RUNNERS = {"vertex": vertex_runner, "kubeflow": kubeflow_runner}
DATA, OUTPUT = "gs://bucket/fold_0", "gs://bucket/out"


def compile_for(target: str, folder: Path, *arguments: str) -> tuple[Path, dict[str, Any]]:
    """Runs a cluster's runner; the file it has written, and what is in it."""
    file = folder / f"{target}.yaml"
    places = ["--data", DATA, "--output", OUTPUT]
    assert RUNNERS[target].main([*places, "--spec", str(file), *arguments]) == 0
    return file, yaml.safe_load(file.read_text())
