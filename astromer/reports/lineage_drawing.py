"""A lineage as SVG inside the page, where it takes the page's colours."""

from __future__ import annotations

from typing import NamedTuple

from astromer.reports.lineage import Lineage, Node
from astromer.system.text import shortened

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


class Line(NamedTuple):
    """An SVG path from a node to one that was made of it."""

    path: str


class Drawing(NamedTuple):
    """What the template fills in."""

    width: float
    height: float
    boxes: list[Box]
    lines: list[Line]


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
            told = tuple(shortened(line, _LETTERS) for line in node.details)
            boxes[node.id] = Box(node, x, y, 2 * _PAD + _LINE * (1 + len(told)), told)
            x += _WIDTH + _ACROSS
        y += max(boxes[node.id].height for node in row) + _DOWN
    depth = {node.id: number for number, row in enumerate(rows) for node in row}
    lines = [
        Line(_path(boxes[source], boxes[target], depth[target] - depth[source]))
        for source, target in lineage.edges
        if source in boxes and target in boxes
    ]
    return Drawing(width, max(y - _DOWN + _PAD, 0), list(boxes.values()), lines)


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
