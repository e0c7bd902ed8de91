"""Whether something listens at a place of the network. Imports the standard library only."""

from __future__ import annotations

import socket

from astromer.system.text import brief

_SECONDS = 10.0


def why_silent(host: str, port: int) -> str:
    """Why nothing answers there; empty where something listens."""
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except OSError as error:
        return error.strerror or brief(error)
    return ""
