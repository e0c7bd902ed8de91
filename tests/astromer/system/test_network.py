from __future__ import annotations

import socket

import pytest

from astromer.system.network import why_silent


def test_nothing_is_said_of_what_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert why_silent(*server.getsockname()) == ""


def test_a_port_without_a_listener_refuses():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert why_silent(*taken.getsockname()) == "Connection refused"


def test_a_failure_without_a_word_is_one(monkeypatch: pytest.MonkeyPatch):
    def fail(*given: object) -> None:
        raise OSError

    monkeypatch.setattr(socket, "create_connection", fail)
    assert why_silent("host", 1) == "OSError"
