"""What the last run must have made is told where it has not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from astromer.serving.versions.folder import newest
from tools.faults.aftermath import after
from tools.faults.outcome import read_outcome
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.shape import shape_of
from tools.faults.stages import COMPONENTS

FINE = Ended(0, "", "")


@pytest.fixture
def profile(place, store) -> Profile:
    """That of a run which made the version in the place, with a history of two epochs."""
    store.put_artifact_type(pb.ArtifactType(name="Model"))
    extra = newest(place.serving) / "assets.extra"
    course = {"history": [{"loss": 1.0, "seconds": 1.0}, {"loss": 0.5}], "resumed": [[1, 0]]}
    (extra / "config.json").write_text(json.dumps({"metadata": {"course": course}}))
    np.savez(extra / "weights.npz", a=np.arange(3.0))
    scores = place.output / "pipeline" / "Evaluator" / "evaluation" / "1"
    scores.mkdir(parents=True)
    (scores / "metrics.json").write_text('{"rmse": 0.2}')
    kind = store.get_artifact_type("Model").id
    live = pb.Artifact.LIVE
    store.put_artifacts([pb.Artifact(type_id=kind, uri=str(scores), state=live)])
    return Profile({}, {}, read_outcome(place.output, place.serving), shape_of(place.output))


def told(place, profile, ended=FINE, stage="Trainer", before=0, saved=(1, 0)) -> list[str]:
    return after(place, ended, profile, stage, before, saved)


def test_the_same_run_again_is_fine(place, profile):
    assert told(place, profile) == []
    assert told(place, profile, stage="Reporter", before=1) == []
    assert told(place, profile, stage="closing", before=1, saved=None) == []


@pytest.mark.parametrize("stage", COMPONENTS[:-1])
def test_there_must_be_one_new_version(place, profile, stage):
    assert told(place, profile, stage=stage, before=1) == ["1 versions where there must be 2"]


def test_weights_history_and_scores_are_compared_bit_by_bit(place, profile):
    extra = newest(place.serving) / "assets.extra"
    np.savez(extra / "weights.npz", a=np.array([0.0, 1.0, 2.0 + 2**-50]))
    assert told(place, profile) == ["not bit-identical: weights"]

    [scores] = place.output.glob("pipeline/Evaluator/evaluation/*/metrics.json")
    scores.write_text('{"rmse": 0.20000000000000004}')
    config = (extra / "config.json").read_text()
    (extra / "config.json").write_text(config.replace("0.5", "0.25"))
    kinds = ("weights", "history", "scores")
    assert told(place, profile) == [f"not bit-identical: {kind}" for kind in kinds]


def test_a_training_that_began_anew_has_lost_its_checkpoint(place, profile):
    [lost] = told(place, profile, saved=(1, 3))
    assert lost.startswith("lost checkpoint: (1, 3) was saved")
    assert told(place, profile, saved=(2, 0)) == []  # it was over


def test_an_exit_code_and_a_traceback(place, profile):
    ended = Ended(1, "", "Traceback\nerror: no\n")
    assert told(place, profile, ended) == [
        "wrong exit code: the repeat ended with 1: error: no",
        "the repeat told a traceback",
    ]
