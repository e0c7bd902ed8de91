"""As much of the Kubeflow Pipelines API as a submission uses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_ANSWERS = {
    "/apis/v2beta1/healthz": {"multi_user": False},
    "/apis/v2beta1/experiments": {"experiment_id": "e1", "display_name": "x"},
    "/apis/v2beta1/runs": {"run_id": "r1"},
    "/apis/v2beta1/recurringruns": {"recurring_run_id": "s1"},
}


class Kubeflow:
    """A context manager.

    Attributes:
        requests: verb, path, content and token of each, in order.
        refuses: whether whatever is posted is forbidden.
        endpoint: its address.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, Any], str]] = []
        self.refuses = False
        handler = type("_OfThis", (_Handler,), {"kubeflow": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Kubeflow:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def posted(self, path: str) -> dict[str, Any]:
        """The content of the only request of its kind."""
        [content] = [c for verb, p, c, _ in self.requests if verb == "POST" and p.endswith(path)]
        return content


class _Handler(BaseHTTPRequestHandler):
    kubeflow: Kubeflow

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(size) or "{}")
        token = self.headers.get("authorization", "")
        self.kubeflow.requests.append((self.command, self.path, content, token))
        refused = self.kubeflow.refuses and self.command == "POST"
        body = json.dumps(_ANSWERS.get(self.path.split("?")[0], {})).encode()
        self.send_response(403 if refused else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: Any) -> None:
        pass
