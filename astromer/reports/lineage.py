"""What led to a model: artifacts, and the executions that made them of others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter


@dataclass(frozen=True)
class Node:
    """An artifact or an execution.

    Attributes:
        id: names it within its graph.
        title: its kind, for instance "Model" or "Trainer".
        details: lines below.
        made: whether it is an execution.
        main: whether it is the model that the page is about.
    """

    id: str
    title: str
    details: tuple[str, ...] = ()
    made: bool = False
    main: bool = False


@dataclass(frozen=True)
class Lineage:
    """A graph without circles.

    Attributes:
        nodes: all of them.
        edges: pairs of ids: the second was made from, or by, the first.
        source: where this was found, in words.
    """

    nodes: tuple[Node, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    source: str = ""

    def layers(self) -> list[list[Node]]:
        """Nodes in rows, each below those that it was made from, neighbours near each other.

        Raises:
            ValueError: the edges run in a circle.
        """
        before: dict[str, set[str]] = {node.id: set() for node in self.nodes}
        for source, target in self.edges:
            if source in before and target in before:
                before[target].add(source)
        try:
            order = list(TopologicalSorter(before).static_order())
        except CycleError as error:
            raise ValueError(f"a lineage has no circles. Received: {error.args[1]}") from error
        depth: dict[str, int] = {}
        for id in order:
            depth[id] = max((depth[source] + 1 for source in before[id]), default=0)
        rows: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for node in self.nodes:
            rows[depth[node.id]].append(node)
        place: dict[str, float] = {}
        for row in rows:
            row.sort(key=lambda node: _mean(place[source] for source in before[node.id]))
            for number, node in enumerate(row):
                place[node.id] = number - (len(row) - 1) / 2
        return rows


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


@dataclass
class LineageBuilder:
    """Gathers a lineage piece by piece; what is added twice counts once."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, node: Node, *after: str) -> None:
        """Adds a node that was made from, or by, those of some ids."""
        self.nodes.setdefault(node.id, node)
        for source in after:
            self.edges[source, node.id] = None

    def build(self, source: str) -> Lineage:
        """The lineage of what was added."""
        return Lineage(tuple(self.nodes.values()), tuple(self.edges), source)
