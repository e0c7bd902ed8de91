"""A stand-in for the database of vulnerabilities that ``make audit`` asks, for pip-audit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.standins.proxy import ProxyHandler, TlsProxy
from tools.scripts.audit import pip_audit


def pip_audit_is_there() -> bool:
    """Whether pip-audit is installed by uv, which a machine without a network cannot do."""
    return subprocess.run([*pip_audit(), "--version"], capture_output=True).returncode == 0


class Osv(TlsProxy):
    """A context manager.

    Args:
        folder: for the certificate.
        known: vulnerabilities by the package that has them, as the database tells them.

    Attributes:
        asked: the version of each package that was asked about.
    """

    def __init__(self, folder: Path, known: Mapping[str, list[dict[str, Any]]] = {}):
        super().__init__(_Handler, ["api.osv.dev"], folder)
        self.known = known
        self.asked: dict[str, str] = {}


class _Handler(ProxyHandler):
    server_of: Osv

    def do_POST(self) -> None:
        """Tells what is known of one version of a package."""
        question = json.loads(self.body())
        name = question["package"]["name"]
        self.server_of.asked[name] = question["version"]
        self.answer(200, {"vulns": self.server_of.known.get(name, [])})
