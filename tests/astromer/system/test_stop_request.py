from __future__ import annotations

import os
import signal
import threading

import pytest

from astromer.system.termination import StopRequest

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_does_what_it_did(number: signal.Signals) -> None:
    received = []
    before = signal.signal(number, lambda *_: received.append("outer"))
    try:
        with StopRequest() as stop:
            assert not stop.requested
            os.kill(os.getpid(), number)
            assert stop.requested
            assert received == []
            os.kill(os.getpid(), number)
            assert received == ["outer"]
        os.kill(os.getpid(), number)
        assert received == ["outer", "outer"]
    finally:
        signal.signal(number, before)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with StopRequest():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
    with pytest.raises(RuntimeError), StopRequest():
        raise RuntimeError
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_in_another_thread_it_does_nothing() -> None:
    requested = []

    def run() -> None:
        with StopRequest() as stop:
            requested.append(stop.requested)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert requested == [False]
