"""What a database answers to runs that start at once is waited for; the rest is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from astromer.system.errors import MetadataError
from pipeline.local import metadata_store as metadata_connection
from pipeline.local.metadata import metadata_database
from pipeline.local.metadata_store import open_store, settle_killed_runs
from tests.standins import refused_calls


@pytest.mark.parametrize(
    "answer",
    [
        "mysql_query failed: errno: 1213, error: Deadlock found when trying to get lock",
        "ERROR:  deadlock detected",
        "Table 'Type' already exists",
        "Aborted: concurrent writes",
    ],
)
def test_another_run_that_makes_the_tables_is_waited_for(tmp_path: Path, monkeypatch, answer):
    refusals = [answer, answer]

    def connect(config):
        if refusals:
            raise RuntimeError(refusals.pop())
        return config

    monkeypatch.setattr(metadata_store, "MetadataStore", connect)
    monkeypatch.setattr(metadata_connection.time, "sleep", lambda seconds: None)
    file = tmp_path / "metadata.db"
    connected = open_store(metadata_database(f"sqlite:///{file}", tmp_path, {}))
    assert connected.sqlite.filename_uri == str(file)
    assert refusals == []


WITHOUT_LOCKS = """
import sys
from pathlib import Path
from pipeline.local.metadata import check_sound, metadata_database
from pipeline.local.metadata_store import open_store
database = metadata_database("", Path(sys.argv[1]), {})
for _ in range(2):
    print(len(open_store(database).get_artifact_types()))
    check_sound(Path(database.name))
try:
    metadata_database(f"sqlite:///{sys.argv[1]}/shared/new.db", Path(sys.argv[1]), {})
except Exception as error:
    print(error)
"""


@pytest.mark.skipif(bool(refused_calls.obstacle()), reason=refused_calls.obstacle())
def test_a_file_system_without_locks_has_the_database_of_one_output_only(toy, tmp_path: Path):
    command = refused_calls.command("locks")
    done = toy.python(*command, sys.executable, "-c", WITHOUT_LOCKS, str(tmp_path / "a b%20?"))
    made, again, refused = done.stdout.splitlines()
    assert made == again, done.stderr
    assert refused.startswith("--metadata must lie on a file system with locks")
    assert (tmp_path / "a b%20?" / "metadata" / "metadata.sqlite").is_file()


def test_another_answer_is_told_at_once(tmp_path: Path, monkeypatch):
    asked = []

    def connect(config):
        asked.append(config)
        raise RuntimeError("disk I/O error")

    monkeypatch.setattr(metadata_store, "MetadataStore", connect)
    with pytest.raises(MetadataError, match="it says: disk I/O error"):
        open_store(metadata_database(f"sqlite:///{tmp_path}/metadata.db", tmp_path, {}))
    assert len(asked) == 1


NODES = ("Trainer", "Pusher")
STATES = pb.Execution


@pytest.fixture
def store() -> metadata_store.MetadataStore:
    config = pb.ConnectionConfig()
    config.fake_database.SetInParent()
    return metadata_store.MetadataStore(config)


def execute(store: metadata_store.MetadataStore, pipeline: str, state: int) -> int:
    """An execution of a pipeline's, in a state."""
    kind = store.put_execution_type(pb.ExecutionType(name="Training"))
    of_pipeline = store.put_context_type(pb.ContextType(name="pipeline"))
    context = store.get_context_by_type_and_name("pipeline", pipeline)
    if context is None:
        context = pb.Context(type_id=of_pipeline, name=pipeline)
        [context.id] = store.put_contexts([context])
    [number] = store.put_executions([pb.Execution(type_id=kind, last_known_state=state)])
    store.put_attributions_and_associations(
        [], [pb.Association(execution_id=number, context_id=context.id)]
    )
    return number


def write(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "file").touch()
    return folder


def states(store: metadata_store.MetadataStore, *numbers: int) -> list[int]:
    return [e.last_known_state for e in store.get_executions_by_id(numbers)]


def test_executions_of_this_pipeline_that_never_ended_have_failed(store):
    running, new, done, cached = (
        execute(store, "astromer", state)
        for state in (STATES.RUNNING, STATES.NEW, STATES.COMPLETE, STATES.CACHED)
    )
    others = execute(store, "another", STATES.RUNNING)

    assert sorted(settle_killed_runs(store, "astromer", "nowhere", NODES)) == [running, new]

    assert states(store, running, new) == [STATES.FAILED, STATES.FAILED]
    assert states(store, done, cached) == [STATES.COMPLETE, STATES.CACHED]
    assert states(store, others) == [STATES.RUNNING]
    assert settle_killed_runs(store, "astromer", "nowhere", NODES) == []


def test_what_they_had_begun_is_removed_and_nothing_else(store, tmp_path):
    done = execute(store, "astromer", STATES.COMPLETE)
    running = execute(store, "astromer", STATES.RUNNING)
    begun = [
        write(tmp_path / "Trainer" / "model" / str(running)),
        write(tmp_path / "Trainer" / ".system" / "executor_execution" / str(running) / ".temp"),
        write(tmp_path / "Trainer" / ".system" / "stateful_working_dir" / "8a5e-no-number"),
    ]
    kept = [
        write(tmp_path / "Trainer" / "model" / str(done)),
        write(tmp_path / "Pusher" / "pushed_model" / str(done)),
        write(tmp_path / "elsewhere" / "model" / str(running)),
    ]

    settle_killed_runs(store, "astromer", str(tmp_path), NODES)

    assert [path for path in begun if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


def test_working_folders_of_stopped_and_failed_executions_are_removed(store, tmp_path):
    execute(store, "astromer", STATES.FAILED)
    left = write(tmp_path / "Trainer" / ".system" / "stateful_working_dir" / "8a5e-no-number")

    assert settle_killed_runs(store, "astromer", str(tmp_path), NODES) == []
    assert left.parent.is_dir()
    assert not left.exists()


def test_files_go_before_the_claim(store, tmp_path, monkeypatch):
    """A kill in between is settled by the run after it."""
    running = execute(store, "astromer", STATES.RUNNING)
    begun = write(tmp_path / "Trainer" / "model" / str(running))

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.local.metadata_store.remove_tree", killed)
        with pytest.raises(KeyboardInterrupt):
            settle_killed_runs(store, "astromer", str(tmp_path), NODES)
    assert states(store, running) == [STATES.RUNNING]

    settle_killed_runs(store, "astromer", str(tmp_path), NODES)
    assert not begun.exists()


def test_a_pipeline_that_never_ran_has_left_nothing(store):
    assert settle_killed_runs(store, "astromer", "nowhere", NODES) == []
