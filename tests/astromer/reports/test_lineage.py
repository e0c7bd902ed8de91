from __future__ import annotations

from itertools import pairwise

import pytest

from astromer.reports.lineage import Lineage, LineageBuilder, Node, lay_out, lineage_of_model


def chain() -> LineageBuilder:
    graph = LineageBuilder()
    for source, step, result in (("data", "train", "model"), ("model", "judge", "blessing")):
        graph.add(Node(source, source))
        graph.add(Node(step, step, made=True), source)
        graph.add(Node(result, result), step)
    graph.add(Node("judge", "judge", made=True), "data")
    return graph


def test_each_is_below_what_it_was_made_from() -> None:
    lineage = chain().build("a test")
    assert len(lineage.nodes) == 5
    depth = {node.id: n for n, row in enumerate(lineage.layers()) for node in row}
    assert all(depth[source] < depth[target] for source, target in lineage.edges)
    drawing = lay_out(lineage)
    assert len(drawing.paths) == len(lineage.edges) == 5
    spans = sorted((box.y, box.y + box.height) for box in drawing.boxes)
    assert all(end < start for (_, end), (start, _) in pairwise(spans))


def test_boxes_of_a_row_do_not_overlap() -> None:
    graph = LineageBuilder()
    for number in range(5):
        graph.add(Node(f"n{number}", "Examples"))
        graph.add(Node("m", "Model"), f"n{number}")
    boxes = [box for box in lay_out(graph.build("")).boxes if box.node.id != "m"]
    places = sorted(box.x for box in boxes)
    assert all(b - a > boxes[0].width for a, b in pairwise(places))
    assert places[0] >= 0


def test_nothing_and_circles() -> None:
    assert lay_out(Lineage()).boxes == []
    circle = Lineage((Node("a", "a"), Node("b", "b")), (("a", "b"), ("b", "a")))
    with pytest.raises(ValueError, match="no cycle"):
        circle.layers()


def test_a_model_tells_what_it_knows() -> None:
    lineage = lineage_of_model("serving/astromer/7", {"metadata": {"data_fingerprint": "abc"}})
    assert [node.title for node in lineage.nodes] == ["light curves", "training", "model"]
    assert lineage.nodes[0].details == ("fingerprint abc",)
    assert lineage.nodes[2].details == ("astromer/7",)
    assert lineage_of_model("m", {}).nodes[0].details == ()
