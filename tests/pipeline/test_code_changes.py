"""A change of code that the Trainer does not depend on neither retrains nor loses a training."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.pipeline.folds import write_fold

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--hidden=8", "--n-heads=2", "--n-layers=1", "--window=20", "--bs=16", "--epochs=2"]
TINY += ["--debug"]  # a model of so little is pushed nowhere else
ELSEWHERE = ("astromer/reports", "astromer/serving/versions", "astromer/records/sources")


def edited_docstring(file: Path) -> str:
    return file.read_text().replace('"""', '"""Edited. ', 1)


def test_edits_outside_of_the_training_neither_retrain_nor_abandon_a_checkpoint(tmp_path):
    tree = tmp_path / "tree"
    for package in ("astromer", "components", "pipeline"):
        shutil.copytree(ROOT / package, tree / package)
    shutil.copy(ROOT / "pipeline_config.py", tree)
    write_fold(tmp_path / "fold")

    def run() -> dict[str, str]:
        """What the run says of each component: its time, or "cached"."""
        command = [sys.executable, str(tree / "pipeline/local_runner.py"), "--data", "fold", *TINY]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
        assert done.returncode == 0, done.stderr
        return {
            name: rest.strip()
            for name, _, rest in (line.partition(" ") for line in done.stdout.splitlines())
        }

    def trainings() -> dict[str, int]:
        """The state of each training, and when it was written."""
        files = (tmp_path / "outputs/training").glob("*/checkpoints/*")
        return {str(file): file.stat().st_mtime_ns for file in files}

    assert run()["Trainer"] != "cached"
    before = trainings()
    assert len({Path(file).parent for file in before}) == 1

    for place in ELSEWHERE:
        for file in (tree / place).glob("*.py"):
            file.write_text(edited_docstring(file) + "\n_EDITED = True\n")
    used = tree / "astromer/training/loop.py"
    used.write_text(edited_docstring(used))
    again = run()
    assert {again[name] for name in ("FoldExampleGen", "LightCurveValidator")} == {"cached"}
    assert {again[name] for name in ("Trainer", "Evaluator", "Pusher")} == {"cached"}
    assert again["Reporter"] != "cached"

    # Without the cache the finished training is found, and not begun anew.
    shutil.rmtree(tmp_path / "outputs/pipeline")
    shutil.rmtree(tmp_path / "outputs/metadata")
    assert run()["Trainer"] != "cached"
    assert trainings() == before
