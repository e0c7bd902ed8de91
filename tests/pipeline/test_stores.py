"""A whole run whose data and output lie in a store, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx.dsl.io import filesystem_registry
from tfx.dsl.io.plugins.tensorflow_gfile import TensorflowFilesystem

import astromer
from astromer.serving.checksums import Differences, verify
from astromer.serving.versions.folder import versions
from astromer.system.storage import RemotePath, as_path, copy_tree, files_in, local_folder
from pipeline import local_runner
from tests.pipeline.folds import write_fold

SMALL = ["--hidden", "8", "--n-heads", "2", "--n-layers", "1", "--window", "20", "--epochs", "1"]
SMALL += ["--debug"]


@pytest.mark.parametrize(
    ("output", "local"),
    [
        ("gs://bucket/runs/a", "outputs/stores/gs/bucket/runs/a"),
        ("hdfs:///user/a", "outputs/stores/hdfs/user/a"),
    ],
)
def test_what_must_be_local_has_a_folder_for_each_output(output, local):
    assert local_folder(as_path(output)) == Path.cwd() / local
    assert local_folder(Path("outputs")) == Path("outputs")


def test_a_run_in_a_store_pushes_a_model_there(store: RemotePath, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(TensorflowFilesystem, "SUPPORTED_SCHEMES", ["", "gs://", "ram://"])
    filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(
        TensorflowFilesystem, priority=0, use_as_fallback=True
    )
    monkeypatch.chdir(tmp_path)
    copy_tree(write_fold(tmp_path / "fold"), store / "fold")
    arguments = ["--data", str(store / "fold"), "--output", str(store / "outputs"), *SMALL]
    assert local_runner.main([*arguments, "--verbose"]) == 0
    said = capsys.readouterr().out
    [version] = versions(store / "outputs" / "serving" / "astromer")
    assert f"SavedModel (pushed): {version}" in said
    assert astromer.load(str(version.parent)).path == version
    page = store / "outputs" / "reports" / version.name / "index.html"
    assert f"Report    {page}" in said
    assert "Blessed." in page.read_text(encoding="utf-8")
    assert (store / "outputs" / "reports" / "latest" / "plots" / "window_best.png").exists()
    assert json.loads((store / "outputs" / "outcome.json").read_text())["blessed"]
    assert (version.parent / "latest").read_text() == f"{version.name}\n"
    assert verify(version) == Differences()
    assert "# astromer" in (version / "README.md").read_text()
    # With --verbose there is no log file: the database and the summary are on this machine.
    here = {str(path) for path in files_in(tmp_path) if path.parts[0] != "fold"}
    assert {Path(name).suffix for name in here} == {".sqlite", ".json"}
    assert not any((store / "outputs" / ".locks").rglob("*"))
