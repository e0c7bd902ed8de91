"""The lineage of a model: artifacts, the executions that made them, and a drawing of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from statistics import fmean
from typing import Any, NamedTuple

from astromer.system.text import shortened


@dataclass(frozen=True)
class Node:
    """An artifact or an execution.

    Attributes:
        id: names it within its graph.
        title: its kind, for instance "Model" or "Trainer".
        details: lines below.
        made: True for an execution.
        main: True for the model that the page is about.
    """

    id: str
    title: str
    details: tuple[str, ...] = ()
    made: bool = False
    main: bool = False


@dataclass(frozen=True)
class Lineage:
    """A graph without cycles.

    Attributes:
        nodes: all of them.
        edges: pairs of ids: the second was made from, or by, the first.
        source: where the graph comes from, in words.
    """

    nodes: tuple[Node, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    source: str = ""

    def layers(self) -> list[list[Node]]:
        """Nodes in rows, each below those that it was made from, neighbours near each other.

        Raises:
            ValueError: the edges form a cycle.
        """
        before: dict[str, set[str]] = {node.id: set() for node in self.nodes}
        for source, target in self.edges:
            if source in before and target in before:
                before[target].add(source)
        try:
            order = list(TopologicalSorter(before).static_order())
        except CycleError as error:
            raise ValueError(f"A lineage must have no cycle. Received: {error.args[1]}.") from error
        depth: dict[str, int] = {}
        for id in order:
            depth[id] = max((depth[source] + 1 for source in before[id]), default=0)
        rows: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for node in self.nodes:
            rows[depth[node.id]].append(node)
        column: dict[str, float] = {}
        for row in rows:
            row.sort(
                key=lambda node: fmean([column[source] for source in before[node.id]] or [0.0])
            )
            for number, node in enumerate(row):
                column[node.id] = number - (len(row) - 1) / 2
        return rows


@dataclass
class LineageBuilder:
    """Collects nodes and edges of a lineage; what is added twice counts once."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, node: Node, *after: str) -> None:
        """Adds a node that was made from, or by, those of some ids."""
        self.nodes.setdefault(node.id, node)
        for source in after:
            self.edges[source, node.id] = None

    def build(self, source: str) -> Lineage:
        return Lineage(tuple(self.nodes.values()), tuple(self.edges), source)


def lineage_of_model(path: str, config: Mapping[str, Any]) -> Lineage:
    """Data, training and model from the model's ``config.json``, without a metadata store.

    Args:
        path: of the model.
        config: see :mod:`astromer.serving.export`.
    """
    metadata = config.get("metadata", {})
    summary = metadata.get("summary") or metadata.get("training", {})
    graph = LineageBuilder()
    data = [f"fingerprint {metadata['data_fingerprint']}"] if "data_fingerprint" in metadata else []
    if "train_curves" in summary:
        data.append(f"{summary['train_curves']:,} to train on")
    training = [f"run {metadata['fingerprint']}"] if "fingerprint" in metadata else []
    if "epochs" in summary:
        training.append(f"{summary['epochs']} epochs, {summary['seconds']:.0f} s")
    graph.add(Node("data", "light curves", tuple(data)))
    graph.add(Node("training", "training", tuple(training), made=True), "data")
    name = "/".join(path.rstrip("/").split("/")[-2:])
    graph.add(Node("model", "model", (name,), main=True), "training")
    return graph.build("what the model itself says")


_WIDTH, _LINE, _PAD = 184, 15, 8
_ACROSS, _DOWN, _AROUND = 20, 34, 70
_LETTERS = 28  # that fit into a box


class Box(NamedTuple):
    """A node and where it is, in pixels."""

    node: Node
    x: float
    y: float
    height: float
    lines: tuple[str, ...]

    @property
    def width(self) -> int:
        return _WIDTH


class Drawing(NamedTuple):
    """A lineage as SVG: its boxes, and the paths from each node to those made of it."""

    width: float
    height: float
    boxes: list[Box]
    paths: list[str]


def lay_out(lineage: Lineage) -> Drawing:
    """Rows from top to bottom."""
    rows = lineage.layers()
    widest = max(map(len, rows), default=0)
    width = widest * (_WIDTH + _ACROSS) + _ACROSS + 2 * _AROUND
    boxes: dict[str, Box] = {}
    y = float(_PAD)
    for row in rows:
        used = len(row) * (_WIDTH + _ACROSS) - _ACROSS
        x = (width - used) / 2
        for node in row:
            lines = tuple(shortened(line, _LETTERS) for line in node.details)
            boxes[node.id] = Box(node, x, y, 2 * _PAD + _LINE * (1 + len(lines)), lines)
            x += _WIDTH + _ACROSS
        y += max(boxes[node.id].height for node in row) + _DOWN
    depth = {node.id: number for number, row in enumerate(rows) for node in row}
    paths = [
        _path(boxes[source], boxes[target], depth[target] - depth[source])
        for source, target in lineage.edges
        if source in boxes and target in boxes
    ]
    return Drawing(width, max(y - _DOWN + _PAD, 0), list(boxes.values()), paths)


def _path(source: Box, target: Box, rows: int) -> str:
    if rows > 1:  # past the left of the boxes between
        y0, y1 = source.y + source.height / 2, target.y + target.height / 2
        left = min(source.x, target.x) - _AROUND
        points = [(left, y0), (left, y1), (target.x - 5, y1)]
        return f"M{source.x:.0f} {y0:.0f} C" + " ".join(f"{x:.0f} {y:.0f}" for x, y in points)
    x0, y0 = source.x + _WIDTH / 2, source.y + source.height
    x1, y1 = target.x + _WIDTH / 2, target.y - 5
    bend = max((y1 - y0) / 2, 14)
    points = [(x0, y0 + bend), (x1, y1 - bend), (x1, y1)]
    return f"M{x0:.0f} {y0:.0f} C" + " ".join(f"{x:.0f} {y:.0f}" for x, y in points)
