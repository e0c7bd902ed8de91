from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.forest import grow_forest
from astromer.finetuning.forest_head import ForestHead, check_tables

CONFIG = FinetuneConfig(trees=30)


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = np.array([0, 2, 3])[np.arange(count) % 3]
    features = (rng.normal(size=(count, 2, 3)) + classes[:, None, None]).astype(np.float32)
    beside = np.round(rng.normal(size=(count, 4)) + classes[:, None], 1).astype(np.float32)
    return features, beside, classes


@pytest.fixture(scope="module")
def grown() -> ForestHead:
    return ForestHead.grow(*draw(90, 0), 5, CONFIG, seed=1)


@pytest.mark.parametrize("count", [1, 90, 700])
def test_its_votes_are_those_of_scikit_learn(grown, count):
    """Thresholds that lie between float32 numbers, and on them; more curves than go at once."""
    train, beside, classes = draw(90, 0)
    columns = np.concatenate([train.reshape(90, -1), beside], axis=1)
    forest = grow_forest(columns, classes, CONFIG, seed=1)
    features, beside, _ = draw(count, 5)
    thresholds = np.concatenate([tree.tree_.threshold for tree in forest.estimators_])
    features.ravel()[: min(features.size, len(thresholds))] = thresholds[: features.size]
    columns = np.concatenate([features.reshape(count, -1), beside], axis=1)
    wanted = np.zeros((count, 5))
    wanted[:, forest.classes_] = forest.predict_proba(columns)
    found = tf.nn.softmax(grown(features, beside)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_with_features_beside_it_trees_see_principal_components_of_a_wide_embedding() -> None:
    rng = np.random.default_rng(3)
    classes = np.arange(120) % 3
    features = rng.normal(size=(120, 1, 200)).astype(np.float32)
    beside = (rng.normal(size=(120, 2)) + 3 * classes[:, None]).astype(np.float32)
    forest = ForestHead.grow(features, beside, classes, 3, CONFIG, seed=1)
    assert forest.components == 16
    assert "projection" in forest.named
    check_tables(forest.settings, {name: np.array(v) for name, v in forest.named.items()})
    flat = features[:, 0].astype(np.float64)
    seen = (flat - np.asarray(forest.offset)) @ np.asarray(forest.projection)
    values = np.linalg.svd((flat - flat.mean(0)) / flat.std(0), compute_uv=False)
    assert seen.std(axis=0) * np.sqrt(120) == pytest.approx(values[:16], rel=1e-3)
    settings = forest.settings
    settings.pop("kind")
    other = ForestHead(**settings)
    for name, variable in other.named.items():
        variable.assign(forest.named[name])
    logits = other(features, beside).numpy()
    assert (logits.argmax(axis=1) == classes).all()
    # Without the projection, the features are two columns of 202.
    alone = ForestHead.grow(features, beside[:, :0], classes, 3, CONFIG, seed=1)
    assert alone.components == 0


def test_another_of_its_sizes_takes_its_tables(grown):
    settings = grown.settings
    settings.pop("kind")
    other = ForestHead(**settings)
    for name, variable in other.named.items():
        variable.assign(grown.named[name])
    features, beside, _ = draw(7, 2)
    assert np.array_equal(other(features, beside), grown(features, beside))


@pytest.mark.parametrize(
    ("table", "value"), [("root", 10**6), ("column", 99), ("column", -(10**6)), ("right", 0)]
)
def test_a_node_that_leads_nowhere_is_refused(grown, table, value):
    tables = {name: np.array(variable) for name, variable in grown.named.items()}
    check_tables(grown.settings, tables)
    tables[table][0] = value
    with pytest.raises(ValueError, match="leads nowhere"):
        check_tables(grown.settings, tables)
    with pytest.raises(ValueError, match="another size"):
        check_tables({**grown.settings, "nodes": 10**9}, tables)
