"""HTTP servers on loopback that stand for others."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Quiet. ``server_of`` is the :class:`LoopbackServer`."""

    server_of: Any

    def body(self) -> bytes:
        """What came with the request."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(
        self, status: int, body: bytes | dict[str, Any], headers: Mapping[str, str] = {}
    ) -> None:
        """Sends bytes, or a dict as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class LoopbackServer:
    """A context manager.

    Args:
        handler: answers the requests.

    Attributes:
        port: on 127.0.0.1.
    """

    def __init__(self, handler: type[Handler]):
        bound = type("_OfThis", (handler,), {"server_of": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
