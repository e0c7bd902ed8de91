"""As much of the Kubeflow Pipelines API as a submission uses."""

from __future__ import annotations

import json
from typing import Any

from tests.standins.loopback import Handler, LoopbackServer

_ANSWERS = {
    "/apis/v2beta1/healthz": {"multi_user": False},
    "/apis/v2beta1/experiments": {"experiment_id": "e1", "display_name": "x"},
    "/apis/v2beta1/runs": {"run_id": "r1"},
    "/apis/v2beta1/recurringruns": {"recurring_run_id": "s1"},
}


class Kubeflow(LoopbackServer):
    """A context manager.

    Attributes:
        requests: verb, path, content and token of each, in order.
        refuses: whether whatever is posted is forbidden.
        endpoint: its address.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.requests: list[tuple[str, str, dict[str, Any], str]] = []
        self.refuses = False
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def posted(self, path: str) -> dict[str, Any]:
        """The content of the only request of its kind."""
        [content] = [c for verb, p, c, _ in self.requests if verb == "POST" and p.endswith(path)]
        return content


class _Handler(Handler):
    server_of: Kubeflow

    def _handle(self) -> None:
        content = json.loads(self.body() or "{}")
        token = self.headers.get("authorization", "")
        self.server_of.requests.append((self.command, self.path, content, token))
        refused = self.server_of.refuses and self.command == "POST"
        self.answer(403 if refused else 200, _ANSWERS.get(self.path.split("?")[0], {}))

    do_GET = do_POST = _handle
