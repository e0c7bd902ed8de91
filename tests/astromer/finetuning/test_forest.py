from __future__ import annotations

import dataclasses

import numpy as np

from astromer.finetuning.forest import classical_features, classify_with_forest


def test_features_are_finite_even_where_they_cannot_be_computed(survey, toy):
    assert np.isfinite(classical_features(survey["test"])).all()
    constant = toy.curves([5, 5])
    constant = dataclasses.replace(constant, mag=np.full(10, 12, np.float32))
    features = classical_features(constant)
    assert np.isfinite(features).all()
    assert features[0, 0] == 12  # the mean magnitude


def test_equal_seeds_grow_equal_forests(survey, dataset, config):
    features = classical_features(survey["test"])
    classes = dataset.classes["test"]
    first, again = (
        classify_with_forest(features, classes, features[:9] + 0.1, config, seed=3)
        for _ in range(2)
    )
    assert first.tolist() == again.tolist()
