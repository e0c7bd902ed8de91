"""Output folders that share a database have names of their own in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from astromer.system.errors import UsageError
from pipeline.local.failures import refuse_cluster
from pipeline.local.identity import pipeline_name


def test_a_folder_keeps_its_name_and_no_other_has_it(tmp_path: Path) -> None:
    names = [pipeline_name("astromer", tmp_path / folder) for folder in ("a", "b", "a")]
    assert names[0] == names[2] != names[1]
    assert all(name.startswith("astromer-") for name in names)


def test_a_folder_that_comes_back_is_another_one(tmp_path: Path) -> None:
    first = pipeline_name("astromer", tmp_path)
    (tmp_path / "metadata/pipeline_id").unlink()
    assert pipeline_name("astromer", tmp_path) != first


def test_a_runner_in_a_cluster_would_run_once_for_each_worker(monkeypatch: pytest.MonkeyPatch):
    refuse_cluster("runner.py")
    monkeypatch.setenv(
        "TF_CONFIG",
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}',
    )
    with pytest.raises(UsageError, match=r"runner.py runs in one process.*cluster of 2"):
        refuse_cluster("runner.py")
