"""A random forest on an embedding, grown by scikit-learn and evaluated in the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.finetuning.config import TREES, FinetuneConfig
from astromer.finetuning.forest import grow_forest
from astromer.serving.export import whole_number

_CURVES_AT_ONCE = 256
_LEAST_VOTE = 1e-9  # so that the logarithm of the votes is finite
_COMPONENTS = 16
"""Principal components of an embedding that has features beside it: a tree tries a few columns at
random at each node, and hundreds of an embedding would crowd the features out. 8 to 32 do as
well."""


class ForestHead(keras.layers.Layer):
    """Votes of trees, kept as one table of nodes.

    A node tests whether one column is at most a threshold. Its left child is the next node, as
    scikit-learn numbers them.

    Args:
        num_classes: outputs.
        vectors, d_model: of the embedding; see :func:`~astromer.encoder.pooling.pooled_shape`.
        beside: number of features beside the embedding.
        trees, nodes, leaves: sizes of the forest.
        depth: of the deepest tree.
        components: principal components of the embedding that the trees see; 0 = the embedding.
    """

    kind = TREES
    _SIZES = (
        "num_classes",
        "vectors",
        "d_model",
        "beside",
        "trees",
        "nodes",
        "leaves",
        "depth",
        "components",
    )

    def __init__(
        self,
        num_classes: int,
        vectors: int,
        d_model: int,
        beside: int = 0,
        trees: int = 1,
        nodes: int = 1,
        leaves: int = 1,
        depth: int = 0,
        components: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes, self.vectors, self.d_model = num_classes, vectors, d_model
        self.beside, self.trees, self.nodes = beside, trees, nodes
        self.leaves, self.depth, self.components = leaves, depth, components
        self.build()

    def build(self, input_shape: Any = None) -> None:
        def table(name: str, *shape: int, dtype: str = "int32") -> keras.Variable:
            return self.add_weight(
                shape=shape, dtype=dtype, initializer="zeros", trainable=False, name=name
            )

        self.root = table("root", self.trees)
        # The tested column; at a leaf -1 minus the row of its votes.
        self.column = table("column", self.nodes)
        self.threshold = table("threshold", self.nodes, dtype="float32")
        self.right = table("right", self.nodes)
        self.votes = table("votes", self.leaves, self.num_classes, dtype="float32")
        if self.components:
            width = self.vectors * self.d_model
            self.offset = table("offset", width, dtype="float32")
            self.projection = table("projection", width, self.components, dtype="float32")
        self.built = True

    def call(
        self,
        features: tf.Tensor,
        beside: tf.Tensor,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Logarithms of the mean votes.

        Args:
            features: float32 [num_curves, K, d_model].
            beside: float32 [num_curves, B], features; B is ``beside``.
            training, dropout_key: as other heads have them; without effect.

        Returns:
            float32 [num_curves, num_classes].
        """
        embedding = tf.reshape(features, [-1, self.vectors * self.d_model])
        if self.components:
            embedding = tf.matmul(embedding - self.offset, tf.convert_to_tensor(self.projection))
        columns = tf.concat([embedding, beside], axis=1)
        count = tf.shape(columns)[0]
        parts = tf.maximum((count + _CURVES_AT_ONCE - 1) // _CURVES_AT_ONCE, 1)
        padded = tf.pad(columns, [[0, parts * _CURVES_AT_ONCE - count], [0, 0]])
        size = tf.minimum(count, _CURVES_AT_ONCE)  # a small batch is one part of its own size
        width = (self.components or self.vectors * self.d_model) + self.beside
        votes = tf.map_fn(
            lambda part: self._votes(part[: tf.maximum(size, 1)]),
            tf.reshape(padded, [parts, _CURVES_AT_ONCE, width]),
            fn_output_signature=tf.TensorSpec([None, self.num_classes], tf.float32),
            parallel_iterations=1,
        )
        votes = tf.reshape(votes, [-1, self.num_classes])[:count]
        return tf.math.log(tf.maximum(votes, _LEAST_VOTE))

    def _votes(self, columns: tf.Tensor) -> tf.Tensor:
        """float32 [some, num_classes], the means over the trees."""
        root, column, threshold, right, votes = (
            tf.convert_to_tensor(self.named[name]) for name in _WALKED
        )
        some = tf.shape(columns)[0]

        def descend(step: tf.Tensor, node: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            tested = tf.gather(column, node)
            value = tf.gather(columns, tf.maximum(tested, 0), batch_dims=1)
            inner = tested >= 0
            left = inner & (value <= tf.gather(threshold, node))
            child = tf.where(left, node + 1, tf.gather(right, node))
            return step + 1, tf.where(inner, child, node)

        start = tf.broadcast_to(root[None], [some, self.trees])
        _, node = tf.while_loop(
            lambda step, node: step < self.depth,
            descend,
            (tf.constant(0), start),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, self.trees])),
        )
        leaf = -1 - tf.gather(column, node)
        return tf.reduce_mean(tf.gather(votes, leaf), axis=1)

    @property
    def named(self) -> dict[str, keras.Variable]:
        """The tables by name."""
        return {name: getattr(self, name) for name in tables_of(self.settings)}

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that make a forest of the same sizes."""
        return {"kind": self.kind, **{name: getattr(self, name) for name in self._SIZES}}

    @classmethod
    def grow(
        cls,
        features: np.ndarray,
        beside: np.ndarray,
        classes: np.ndarray,
        num_classes: int,
        config: FinetuneConfig,
        seed: int,
    ) -> ForestHead:
        """Grows a forest; see :func:`~astromer.finetuning.forest.grow_forest`.

        Args:
            features: float32 [num_curves, K, d_model].
            beside: float32 [num_curves, B].
            classes: int64 [num_curves].
            num_classes: classes there are, drawn or not.
            config: number of trees.
            seed: of the forest.
        """
        embedding = features.reshape(len(features), -1)
        projected = {}
        if beside.shape[1] and embedding.shape[1] > _COMPONENTS:
            offset, projection = _principal_components(embedding)
            projected = {"offset": offset, "projection": projection}
            embedding = (embedding - offset) @ projection
        columns = np.concatenate([embedding, beside], axis=1)
        forest = grow_forest(columns, classes, config, seed)
        tables = _tables([tree.tree_ for tree in forest.estimators_], forest.classes_, num_classes)
        tables |= projected
        head = cls(
            num_classes,
            vectors=features.shape[1],
            d_model=features.shape[2],
            beside=beside.shape[1],
            trees=len(tables["root"]),
            nodes=len(tables["column"]),
            leaves=len(tables["votes"]),
            depth=max(int(tree.tree_.max_depth) for tree in forest.estimators_),
            components=projected["projection"].shape[1] if projected else 0,
        )
        for name, variable in head.named.items():
            variable.assign(tables[name])
        return head


_WALKED = ("root", "column", "threshold", "right", "votes")


def tables_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the tables of a forest with these settings."""
    return (*_WALKED, "offset", "projection") if settings.get("components") else _WALKED


def _principal_components(embedding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of standardised columns: float32 [width], to be subtracted, and [width, components].

    ``embedding`` is float32 [num_curves, width].
    """
    mean, deviation = embedding.mean(axis=0), embedding.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    _, _, axes = np.linalg.svd((embedding - mean) / deviation, full_matrices=False)
    return mean, (axes[:_COMPONENTS] / deviation).T


def check_tables(settings: Mapping[str, Any], tables: Mapping[str, np.ndarray]) -> None:
    """Checks that the tables of a forest, which may come from anywhere, can be walked through.

    Raises:
        ValueError: their sizes are not those of the settings, or a node leads nowhere.
    """
    trees, nodes, leaves, classes, vectors, d_model = (
        whole_number(settings, name)
        for name in ("trees", "nodes", "leaves", "num_classes", "vectors", "d_model")
    )
    of_nodes = dict.fromkeys(("column", "threshold", "right"), (nodes,))
    expected = {"root": (trees,), **of_nodes, "votes": (leaves, classes)}
    width = vectors * d_model
    if settings.get("components"):
        components = whole_number(settings, "components")
        expected |= {"offset": (width,), "projection": (width, components)}
        width = components
    received = {name: table.shape for name, table in tables.items()}
    if received != expected or not 0 <= settings["depth"] <= nodes or settings["beside"] < 0:
        raise ValueError("its forest is of another size than its config says")
    root, column, right = (tables[name] for name in ("root", "column", "right"))
    node, inner = np.arange(len(column)), column >= 0
    width += settings["beside"]
    fits = (
        (column < width).all()
        and (-1 - column[~inner] < leaves).all()
        and ((root >= 0) & (root < nodes)).all()
        # Children come after their parents, so that every walk ends.
        and ((right[inner] > node[inner]) & (right[inner] < nodes)).all()
        and not inner[-1:].any()
    )
    if not fits:
        raise ValueError("a node of its forest leads nowhere")


def _tables(trees: list[Any], classes: np.ndarray, num_classes: int) -> dict[str, np.ndarray]:
    """The tables of scikit-learn's trees, whose outputs are some of the classes."""
    roots, columns, thresholds, rights, votes = [], [], [], [], []
    nodes = leaves = 0
    for tree in trees:
        inner = tree.children_left >= 0
        column = np.where(inner, tree.feature, 0)
        column[~inner] = -1 - leaves - np.arange(np.count_nonzero(~inner))
        roots.append(nodes)
        columns.append(column)
        thresholds.append(np.where(inner, _rounded_down(tree.threshold), 0))
        rights.append(np.where(inner, tree.children_right + nodes, 0))
        value = tree.value[~inner, 0]
        of_tree = np.zeros((len(value), num_classes), np.float32)
        of_tree[:, classes] = value / value.sum(axis=1, keepdims=True)
        votes.append(of_tree)
        nodes, leaves = nodes + len(column), leaves + len(value)
    return {
        "root": np.array(roots, np.int32),
        "column": np.concatenate(columns).astype(np.int32),
        "threshold": np.concatenate(thresholds).astype(np.float32),
        "right": np.concatenate(rights).astype(np.int32),
        "votes": np.concatenate(votes),
    }


def _rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """float32: a float32 number is at most the result where it is at most the float64 threshold."""
    nearest = thresholds.astype(np.float32)
    above = nearest.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(nearest, np.float32(-np.inf)), nearest)
