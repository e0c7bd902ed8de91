"""Fine-tuning a pushed encoder, run as a user runs it, and its lineage back to the survey."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ml_metadata.metadata_store import metadata_store
from tfx.orchestration import metadata

from astromer.light_curves import LightCurve
from astromer.serving.saved_model import read_facts, try_read_config
from astromer.serving.versions.folder import versions as versions_in
from tests.pipeline.folds import SIZES, encode, make_curves, write_fold

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--model=astromer_v2", "--hidden=16", "--n-heads=2", "--n-layers=1", "--window=20"]
TINY += ["--bs=16", "--epochs=1", "--debug", "--no-report"]
QUICK = ["--shots=0", "--seeds=1", "--encoder=frozen", "--head=max", "--head-epochs=60"]
QUICK += ["--head-lr=0.01"]

pytestmark = pytest.mark.slow


def tellable(count: int, seed: int) -> list[LightCurve]:
    """Every other light curve is nothing but noise, and its class says so."""
    return [
        dataclasses.replace(curve, mag=(curve.mag - curve.mag.mean()) * 0.02 + curve.mag.mean())
        if curve.class_name == "B"
        else curve
        for curve in make_curves(count, seed)
    ]


def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "pipeline" / program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=590)


def finetune(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    common = ["--model", "outputs/serving/astromer", "--data", "labelled", *QUICK]
    return run(folder, "finetune_runner.py", *common, *arguments)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which an encoder was pre-trained on one survey; another one has classes."""
    folder = tmp_path_factory.mktemp("place")
    write_fold(folder / "survey")
    splits = {split: tellable(2 * size, 50 + i) for i, (split, size) in enumerate(SIZES.items())}
    write_fold(folder / "labelled", **splits)
    done = run(folder, "local_runner.py", "--data", "survey", *TINY)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def first(place: Path) -> subprocess.CompletedProcess[str]:
    done = finetune(place, "--baselines=none", "--bless-over=majority")
    assert done.returncode == 0, done.stderr + done.stdout
    return done


def versions(place: Path) -> list[Path]:
    return versions_in(place / "outputs/serving/astromer_classifier")


def test_a_classifier_is_pushed_and_answers(place, first):
    assert "Traceback" not in first.stderr
    assert "most frequent class" in first.stdout
    [version] = versions(place)
    assert str(version.relative_to(place / "outputs")) in first.stdout
    serve = tf.saved_model.load(str(version)).signatures["serving_default"]
    answer = serve(tf.constant([encode(curve) for curve in tellable(6, 9)]))
    assert set(answer["class_name"].numpy().tolist()) <= {b"A", b"B"}
    assert np.allclose(answer["probabilities"].numpy().sum(axis=1), 1, atol=1e-5)
    assert (place / "outputs/finetuning/results/table.md").is_file()


def test_the_classifier_has_a_card_with_its_scores_and_its_encoder(place, first):
    [version] = versions(place)
    card = (version / "README.md").read_text()
    facts = read_facts(version)
    assert facts["kind"] == "classifier"
    assert f"{facts['evaluation']['served']['macro_f1']:.4g}" in card
    assert "most frequent class" in card
    assert "labelled" in facts["data"]["surveys"]
    [encoder] = versions_in(place / "outputs/serving/astromer")
    assert f"`{try_read_config(version)['metadata']['encoder']['fingerprint']}`" in card
    assert f"the pushed encoder {encoder.name}" in card
    assert facts["encoder"]["surveys"] == ["survey"]
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "checksums.txt"], cwd=version, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_lineage_leads_from_the_classifier_to_both_surveys(place, first):
    database = str(place / "outputs/metadata/metadata.sqlite")
    store = metadata_store.MetadataStore(metadata.sqlite_metadata_connection_config(database))
    [version] = versions(place)
    [pushed] = [
        artifact
        for artifact in store.get_artifacts_by_type("PushedModel")
        if artifact.custom_properties["pushed_destination"].string_value == str(version)
    ]
    found = ancestors(store, pushed.id)
    folds = {
        artifact.custom_properties["fold"].string_value
        for artifact in found
        if artifact.custom_properties["fold"].string_value
    }
    assert folds == {str((place / name).resolve()) for name in ("survey", "labelled")}


def ancestors(store: metadata_store.MetadataStore, artifact_id: int) -> list:
    """Every artifact that some execution turned into this one, however indirectly."""
    inputs, outputs = (3, 5), (4, 6)  # events INPUT, INTERNAL_INPUT and OUTPUT, INTERNAL_OUTPUT
    seen: set[int] = set()
    waiting = [artifact_id]
    while waiting:
        events = store.get_events_by_artifact_ids([waiting.pop()])
        executions = [event.execution_id for event in events if event.type in outputs]
        for event in store.get_events_by_execution_ids(executions) if executions else ():
            if event.type in inputs and event.artifact_id not in seen:
                seen.add(event.artifact_id)
                waiting.append(event.artifact_id)
    return store.get_artifacts_by_id(sorted(seen))


def test_the_same_command_again_takes_all_from_the_cache(place, first):
    before = versions(place)
    again = finetune(place, "--baselines=none", "--bless-over=majority")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(" cached\n") == 6
    assert versions(place) == before
    assert "SavedModel (as before)" in again.stdout
