"""Metadata on PostgreSQL and MariaDB: refusals, runs at once, a cache for each output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
from tfx.dsl.compiler import compiler

from astromer.serving.versions.folder import versions
from astromer.system.errors import MetadataError
from components.pushed_version import LatestOtherBlessedModel
from pipeline.local.metadata import metadata_database
from pipeline.local.metadata_store import open_store, settle_killed_runs
from pipeline.pipeline import create_pipeline
from pipeline_config import PipelineConfig
from tests.pipeline.databases import PASSWORD, SERVERS, Server
from tests.pipeline.folds import make_curves, write_fold

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--hidden=8", "--n-heads=2", "--n-layers=1", "--window=20", "--bs=16", "--epochs=1"]
TINY += ["--debug"]  # a model of so little is pushed nowhere else


@pytest.fixture(scope="module", params=SERVERS, ids=lambda kind: kind.__name__)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    kind = request.param
    if missing := kind.missing():
        pytest.skip(f"needs {kind.__name__}: no program {', '.join(missing)}")
    started = kind()
    try:
        yield started.start()
    finally:
        started.stop()


def store_of(url: str) -> metadata_store.MetadataStore:
    return open_store(metadata_database(url, Path("/nowhere"), {}))


def test_what_a_server_refuses_is_told_without_the_password(server, capfd):
    for url, said in (
        (server.url(password="wrong-one"), "does not let user 'astromer' in"),
        (server.url(user="nobody", password="wrong-one"), "does not let user 'nobody' in"),
        (server.url(database="nix"), "no database 'nix'"),
        (server.url().replace(f":{server.port}/", ":1/"), "Nothing answers"),
    ):
        with pytest.raises(MetadataError, match=said) as caught:
            store_of(url)
        assert str(caught.value).count("\n") == 0
        shown = str(caught.value) + "".join(capfd.readouterr())
        assert "wrong-one" not in shown
        assert PASSWORD not in shown


@pytest.mark.slow
def test_runs_that_begin_at_once_register_each_type_once(server, tmp_path):
    """PostgreSQL alone takes a type of one name up to four times from four processes."""
    config = PipelineConfig(data=str(write_fold(tmp_path / "fold")), output=str(tmp_path / "out"))
    pipeline = create_pipeline(config, baseline_strategy=LatestOtherBlessedModel)
    (tmp_path / "pipeline").write_bytes(compiler.Compiler().compile(pipeline).SerializeToString())
    program = str(Path(__file__).with_name("register_types.py"))
    processes = [
        subprocess.Popen(
            [sys.executable, program, server.url(), str(tmp_path / "pipeline")],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err[-3000:]
    store = store_of(server.url())
    names = Counter(
        (kind, each.name)
        for kind in ("artifact", "execution", "context")
        for each in getattr(store, f"get_{kind}_types")()
    )
    assert {name: count for name, count in names.items() if count > 1} == {}
    assert {("artifact", "Model"), ("context", "execution_cache")} <= set(names)


def test_claims_of_a_killed_run_are_found_on_a_server(server):
    store = store_of(server.url())
    kind = store.put_execution_type(pb.ExecutionType(name="killed.Training"))
    of_pipeline = store.put_context_type(pb.ContextType(name="pipeline"))
    ours, others = store.put_contexts(
        [pb.Context(type_id=of_pipeline, name=f"killed-{name}") for name in ("ours", "others")]
    )
    states = (pb.Execution.NEW, pb.Execution.RUNNING, pb.Execution.COMPLETE, pb.Execution.RUNNING)
    numbers = store.put_executions(
        [pb.Execution(type_id=kind, last_known_state=state) for state in states]
    )
    places = zip(numbers, (ours, ours, ours, others), strict=True)
    store.put_attributions_and_associations(
        [], [pb.Association(execution_id=number, context_id=place) for number, place in places]
    )
    settled = settle_killed_runs(store, "killed-ours", "/nowhere", ["Trainer"])
    assert sorted(settled) == sorted(numbers[:2])
    found = {each.id: each.last_known_state for each in store.get_executions_by_id(numbers)}
    assert [found[number] for number in numbers] == [
        pb.Execution.FAILED,
        pb.Execution.FAILED,
        pb.Execution.COMPLETE,
        pb.Execution.RUNNING,
    ]


class Runs:
    """Runs of the pipeline in two folders with data of their own and one database."""

    def __init__(self, folder: Path, url: str):
        self.folder, self.url = folder, url
        for seed, name in enumerate("ab", 10):  # other stars than in the other splits
            write_fold(folder / name / "fold", train=make_curves(24, seed))

    def start(self, name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "pipeline/local_runner.py"),
                *("--data", "fold", "--metadata", self.url, *TINY),
                *(() if name == "a" else ("--no-report",)),
            ],
            cwd=self.folder / name,
            env={**os.environ, "PGPASSWORD": PASSWORD, "MYSQL_PWD": PASSWORD},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pushed(self, name: str) -> list[Path]:
        return versions(self.folder / name / "outputs/serving/astromer")


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a run has printed once it has ended."""
    try:
        return process.communicate(timeout=900)
    finally:
        process.kill()


def of_type(store: metadata_store.MetadataStore, name: str) -> list[Any]:
    return sorted(store.get_artifacts_by_type(name), key=lambda artifact: artifact.id)


@pytest.mark.slow
def test_two_runs_at_once_end_in_models_of_their_own(server, tmp_path):
    runs = Runs(tmp_path, server.url(password=""))  # it comes from the environment
    processes = {name: runs.start(name) for name in "ab"}
    told = {name: ended(process) for name, process in processes.items()}

    for name, process in processes.items():
        out, err = told[name]
        assert process.returncode == 0, err
        assert "cached" not in out
        assert "model pushed before" not in out  # the other's model is none of its own
        assert len(runs.pushed(name)) == 1
    store = store_of(server.url())
    folders = {name: f"{tmp_path / name / 'outputs'}/" for name in "ab"}
    for kind in ("Examples", "Model", "ModelBlessing", "PushedModel"):
        uris = [artifact.uri for artifact in of_type(store, kind)]
        for folder in folders.values():
            assert any(uri.startswith(folder) for uri in uris), kind
    contexts = store.get_contexts_by_type("pipeline")
    for context in (each for each in contexts if not each.name.startswith("killed-")):
        uris = [artifact.uri for artifact in store.get_artifacts_by_context(context.id)]
        (own,) = (folder for folder in folders.values() if uris and uris[0].startswith(folder))
        assert all(uri.startswith(own) for uri in uris), "a run used what another output holds"

    again = runs.start("a")
    out, err = ended(again)
    assert again.returncode == 0, err
    assert out.count(" cached\n") == 11
    assert len(runs.pushed("a")) == 1
    page = tmp_path / "a" / "outputs" / "reports" / "latest" / "index.html"
    assert "from the metadata store" in page.read_text(encoding="utf-8")
    assert PASSWORD not in out + err + "".join(map("".join, told.values()))
    rows = [*store.get_artifacts(), *store.get_executions(), *store.get_contexts()]
    assert PASSWORD not in "".join(map(str, rows))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 20
    for path in written:
        assert PASSWORD.encode() not in path.read_bytes(), path
