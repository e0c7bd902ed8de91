"""A run that fails over its database or its places leaves no secret anywhere."""

from __future__ import annotations

import pytest

from astromer.commands.cli import run_program
from pipeline.finetune_runner import main as finetune
from pipeline.kubeflow_runner import main as kubeflow
from pipeline.local.failures import one_line_errors
from pipeline.local_runner import main as local
from tests.components.cluster_jobs import free_addresses

SECRET = "hunter2-planted"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder in which programs run, with secrets in the environment."""
    for name in ("PGPASSWORD", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def nowhere() -> str:
    """A port of this machine where nothing listens."""
    (address,) = free_addresses(1)
    return address


@pytest.mark.parametrize(
    ("program", "options"),
    [
        (local, ["--metadata", f"postgresql://ann:{SECRET}@{{nowhere}}/lineage"]),
        (local, ["--metadata", "postgresql://ann@{nowhere}/lineage"]),  # from the environment
        (local, ["--metadata", f"mysql://ann:{SECRET}@{{nowhere}}/lineage"]),
        (local, ["--metadata", f"oracle://ann:{SECRET}@{{nowhere}}/lineage"]),
        (local, ["--metadata", f"postgresql://ann:{SECRET}/@{{nowhere}}:x/lineage"]),
        (local, ["--metadta", f"postgresql://ann:{SECRET}@{{nowhere}}/lineage"]),
        (local, ["--output", f"s3://AKIAX:{SECRET}@bucket/out"]),
        (local, ["--output", f"gs://bucket/out?sig={SECRET}"]),
        (finetune, ["--model", f"az://a/b?sig={SECRET}"]),
        (kubeflow, ["--output", f"s3://AKIAX:{SECRET}@bucket/out", "--spec", "a.yaml"]),
    ],
)
def test_what_fails_tells_no_secret(place, fold_folder, capfd, program, options) -> None:
    arguments = ["--data", str(fold_folder)]
    arguments += [option.replace("{nowhere}", nowhere()) for option in options]
    with pytest.raises(SystemExit) as ended:
        run_program(lambda: program(arguments))
    assert ended.value.code in (2, 8, 11)
    said = "".join(capfd.readouterr())
    assert "error: " in said
    assert SECRET not in said
    for path in place.rglob("*"):
        assert SECRET not in path.name
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_what_nobody_has_foreseen_is_logged_without_secrets(tmp_path) -> None:
    log = tmp_path / "run.log"
    with pytest.raises(Exception, match="Unexpected"), one_line_errors(log):
        raise RuntimeError(f"lost postgresql://ann:{SECRET}@host/lineage")
    text = log.read_text()
    assert "RuntimeError: lost postgresql://ann:***@host/lineage" in text
    assert SECRET not in text
