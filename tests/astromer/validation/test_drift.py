"""Training data are compared with those of a pushed model, where both are known."""

from __future__ import annotations

import json
from pathlib import Path

from astromer.records.fold import Fold
from astromer.validation.fold_check import validate_fold
from astromer.validation.profile import data_drift, read_train_profile, write_profiles
from tests.astromer.validation import corpus
from tests.pipeline.folds import make_curves


def profile(folder: Path, mean: float, seed: int) -> dict:
    fold = corpus.write_splits(folder / "fold", train=make_curves(150, seed, mean))
    validation = validate_fold(Fold.open(fold), progress=False)
    write_profiles(validation.profiles, folder)
    found = read_train_profile(folder)
    assert found is not None
    assert found["curves"] == 150
    return found


def test_other_magnitudes_are_reported_and_similar_ones_are_not(tmp_path):
    pushed = profile(tmp_path / "a", 15, 10)
    assert data_drift(profile(tmp_path / "b", 15, 11), pushed, 0.3) == []
    (text,) = data_drift(profile(tmp_path / "c", 9, 12), pushed, 0.3)
    assert text.startswith("mag is distributed unlike in the data of the pushed model")


def test_unknown_profiles_are_not_compared(tmp_path):
    now = profile(tmp_path / "a", 15, 10)
    assert read_train_profile(tmp_path) is None
    assert data_drift(now, None, 0.3) == []
    assert data_drift(None, now, 0.3) == []
    other_bins = json.loads(json.dumps(now))
    other_bins["histograms"]["mag"]["bins"] = 7
    assert data_drift(now, other_bins, 0.3) == []
