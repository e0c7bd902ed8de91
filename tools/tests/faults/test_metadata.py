"""Orphans of a killed run in a metadata store of ML Metadata's own making."""

from __future__ import annotations

from pathlib import Path

from ml_metadata.proto import metadata_store_pb2 as pb

from tools.faults.aftermath import leftovers, unclaimed
from tools.faults.metadata import damage, live_uris, orphans
from tools.faults.shape import shape_of


def add_execution(store, state: int) -> int:
    kind = store.put_execution_type(pb.ExecutionType(name="Training"))
    [number] = store.put_executions([pb.Execution(type_id=kind, last_known_state=state)])
    return number


def add_artifact(store, uri: Path, state: int) -> int:
    kind = store.put_artifact_type(pb.ArtifactType(name="Model"))
    [number] = store.put_artifacts([pb.Artifact(type_id=kind, uri=str(uri), state=state)])
    return number


def test_what_is_settled_is_no_orphan(place, store, tmp_path):
    for state in (pb.Execution.COMPLETE, pb.Execution.FAILED, pb.Execution.CACHED):
        add_execution(store, state)
    add_artifact(store, tmp_path, pb.Artifact.LIVE)
    add_artifact(store, tmp_path / "gone", pb.Artifact.DELETED)

    assert orphans(place.database) == []
    assert damage(place.database) == []
    assert live_uris(place.database) == {str(tmp_path)}


def test_orphan_claims(place, store, tmp_path):
    running = add_execution(store, pb.Execution.RUNNING)
    new = add_execution(store, pb.Execution.NEW)
    pending = add_artifact(store, tmp_path, pb.Artifact.PENDING)
    empty = add_artifact(store, tmp_path / "gone", pb.Artifact.LIVE)

    assert orphans(place.database) == [
        f"orphan claim: Training {running} is RUNNING",
        f"orphan claim: Training {new} is NEW",
        f"orphan claim: artifact {pending} is PENDING ({tmp_path})",
        f"orphan claim: artifact {empty} is LIVE without {tmp_path / 'gone'}",
    ]


def test_a_damaged_database(place, store):
    assert damage(place.database) == []
    size = place.database.stat().st_size
    with place.database.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 2))
    assert damage(place.database)
    assert damage(place.output / "not there yet") == []


def test_folders_that_no_artifact_claims(place, store):
    claimed = place.output / "pipeline" / "Trainer" / "model" / "1"
    begun = place.output / "pipeline" / "Trainer" / "model" / "2"
    for folder in (claimed, begun):
        folder.mkdir(parents=True)
    add_artifact(store, claimed, pb.Artifact.LIVE)

    [told] = unclaimed(place.output, place.database)
    assert told == "leftover: pipeline/Trainer/model/2 is no artifact's"


def test_files_that_an_undisturbed_run_does_not_leave(place):
    shape = shape_of(place.output)
    (newer,) = (place.serving / "2000000000",)
    newer.mkdir()  # another number is nothing new
    assert leftovers(place.output, shape) == []

    (place.output / "training").mkdir()
    (place.output / "training" / ".state.partial").touch()
    assert leftovers(place.output, [*shape, "training"]) == ["leftover: training/.state.partial"]
