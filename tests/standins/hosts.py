"""Hosts with addresses of their own on one network: Linux's network namespaces.

Made in a user namespace, so that they need no root, and by processes that end with this one.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

_WAITS = ["sh", "-c", "echo ready; read end"]  # until this process ends


class Hosts:
    """A context manager; skips the test where namespaces cannot be made.

    Args:
        count: of hosts, which are linked by a switch.

    Attributes:
        addresses: "host:port" of each.
        prefixes: of a command that is to run on each.
    """

    def __init__(self, count: int):
        self._numbers = range(1, count + 1)
        self.addresses = [f"10.83.0.{number}:2222" for number in self._numbers]
        self._open = ExitStack()

    def __enter__(self) -> Hosts:
        if missing := [name for name in ("ip", "unshare", "nsenter") if not shutil.which(name)]:
            pytest.skip(f"needs {missing[0]} (of iproute2 and util-linux)")
        with self._open:
            self._switch = self._hold(["unshare", "--user", "--map-root-user", "--net", *_WAITS])
            _run(self._switch, "ip link add switch type bridge")
            _run(self._switch, "ip link set switch up")
            self.prefixes = [self._host(number) for number in self._numbers]
            self._open = self._open.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def link(self, index: int, state: str) -> None:
        """Puts the cable of a host into the switch ("up") or takes it out ("down")."""
        _run(self._switch, f"ip link set port{index + 1} {state}")

    def _host(self, number: int) -> list[str]:
        inside = self._hold([*self._switch, "unshare", "--net", *_WAITS])
        cable = f"port{number} master switch type veth peer name eth0 netns {inside[2]}"
        _run(self._switch, f"ip link add {cable}")
        _run(self._switch, f"ip link set port{number} up")
        _run(inside, f"ip address add 10.83.0.{number}/24 dev eth0")
        _run(inside, "ip link set eth0 up")
        _run(inside, "ip link set lo up")
        return inside

    def _hold(self, command: Sequence[str]) -> list[str]:
        """Starts a process that holds namespaces; returns what runs another in them."""
        process = self._open.enter_context(
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        self._open.callback(process.kill)
        assert process.stdout is not None
        if (told := process.stdout.readline().strip()) != "ready":
            pytest.skip(f"needs network namespaces, which cannot be made here: {told}")
        enter = f"nsenter --target {process.pid} --user --preserve-credentials --net"
        return enter.split()


def _run(prefix: Sequence[str], words: str) -> None:
    command = [*prefix, *words.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
