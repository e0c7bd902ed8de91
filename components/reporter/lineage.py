"""Where a model came from: as the metadata store tells, where it can be asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from tfx import types

from astromer.reports.lineage import Lineage, LineageBuilder, Node

Trace = Callable[[Mapping[str, types.Artifact]], Lineage]
"""Finds what led to some artifacts, of which ``model`` is the one that matters."""

_LOG = logging.getLogger(__name__)
_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_STEPS = (
    ("examples", "training", "model"),
    ("model", "evaluation", "blessing"),
    ("examples", "evaluation", "blessing"),
    ("blessing", "push", "pushed_model"),
)


@contextmanager
def traced_by(trace: Trace) -> Iterator[None]:
    """Executors in this context, in this process, can ask the metadata store.

    TFX gives executors no access to it, and clusters run them where it cannot be reached.
    """
    token = _trace.set(trace)
    try:
        yield
    finally:
        _trace.reset(token)


def lineage_of(inputs: Mapping[str, types.Artifact]) -> Lineage:
    """What led to the model among some artifacts.

    Args:
        inputs: by the key of the component's input.
    """
    trace = _trace.get()
    if trace is not None:
        try:
            return trace(inputs)
        except Exception:
            _LOG.warning("The metadata store did not tell the lineage", exc_info=True)
    return _of_artifacts(inputs)


def _of_artifacts(inputs: Mapping[str, types.Artifact]) -> Lineage:
    graph = LineageBuilder()
    for source, step, result in _STEPS:
        graph.add(_node(source, inputs[source]))
        graph.add(Node(step, step, made=True), source)
        graph.add(_node(result, inputs[result]), step)
    return graph.build("this run's artifacts; the metadata store could not be asked")


def _node(key: str, artifact: types.Artifact) -> Node:
    place = "/".join(artifact.uri.rstrip("/").split("/")[-2:])
    return Node(key, artifact.type_name.split(".")[-1], (place,), main=key == "model")
