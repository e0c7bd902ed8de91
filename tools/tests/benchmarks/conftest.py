"""Workers without processes: this process has used TensorFlow, and must not be forked."""

from __future__ import annotations

import pytest

from tools.benchmarks.measuring import workers
from tools.benchmarks.measuring.turns import take_turn


class LocalWorker:
    """Does in this process what a worker does in its own."""

    def __init__(self, make) -> None:
        self.ways = make()
        self.names = tuple(self.ways)
        self.peak = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.names = ()

    def turn(self, name: str):
        turn = take_turn(self.ways[name])
        self.peak = turn.peak
        return turn


@pytest.fixture
def in_this_process(monkeypatch) -> None:
    monkeypatch.setattr(workers, "Worker", LocalWorker)
