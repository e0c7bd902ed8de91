"""Processes that each do things their own way, when they are told to."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from typing import Any

from tools.benchmarks.measuring.turns import Turn, Way, take_turn

Make = Callable[[], Mapping[str, Way]]
_FORK = multiprocessing.get_context("fork")


class Worker(AbstractContextManager["Worker"]):
    """A fork of this process that makes some ways ready once, and takes one when told to.

    Libraries that are loaded already need not be loaded again. TensorFlow may be imported before
    a fork, but must not have been used; what a process sets of its threads concerns no other. It
    ends with the context, however that is left.

    Args:
        make: makes the ways ready, by their names; called in the process.

    Attributes:
        names: of the ways.
        peak: the highest resident size of the process until its last turn [bytes].

    Raises:
        RuntimeError: on entry or in a turn, if the process failed; it has printed why.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self.names: tuple[str, ...] = ()
        self.peak = 0

    def __enter__(self) -> Worker:
        self._pipe, theirs = _FORK.Pipe()
        self._process = _FORK.Process(
            target=_serve, args=(self._make, theirs, self._pipe), daemon=True
        )
        self._process.start()
        try:
            theirs.close()
            self.names = self._told()
        except BaseException:  # interrupted: the process must not go on alone
            self._end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def turn(self, name: str) -> Turn:
        """Takes one way once."""
        with contextlib.suppress(ConnectionError):  # told below
            self._pipe.send(name)
        turn: Turn = self._told()
        self.peak = turn.peak
        return turn

    def _told(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise RuntimeError(
                f"a process that was measured ended with status {self._process.exitcode}"
            ) from None

    def _end(self) -> None:
        self._process.terminate()
        self._process.join()
        self._pipe.close()


@contextlib.contextmanager
def running(makers: Mapping[str, Make]) -> Iterator[dict[str, Worker]]:
    """A worker for each, made ready one after the other."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(Worker(make)) for name, make in makers.items()}


def _serve(make: Make, pipe: Connection, of_parent: Connection) -> None:
    of_parent.close()  # so that the pipe ends with the parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all; the parent ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ways = make()
    pipe.send(tuple(ways))
    while True:
        try:
            name = pipe.recv()
        except EOFError:
            return
        pipe.send(take_turn(ways[name]))
