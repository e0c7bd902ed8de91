"""Database servers on loopback with data folders of their own, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

USER, PASSWORD, DATABASE = "astromer", "s3cret/p@ss:word", "lineage"
_POSTGRES = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), None)
_SECONDS = 60.0


def program(name: str, *folders: Path | None) -> str:
    """Path of a program, or "" where it is not installed."""
    found = [shutil.which(name, path=str(folder)) for folder in folders if folder]
    return next((path for path in (*found, shutil.which(name)) if path), "")


class Server:
    """A running server that knows the user ``USER`` and their empty database.

    Attributes:
        scheme: of its URLs.
        port: on 127.0.0.1.
    """

    scheme = ""
    programs: tuple[str, ...] = ()
    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        # Its sockets' paths must be short, so not in pytest's folder.
        self.folder = Path(tempfile.mkdtemp(prefix="astromer-db-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # Servers refuse to run as root.
        self.user = "nobody" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.process: subprocess.Popen | None = None

    @classmethod
    def missing(cls) -> list[str]:
        """Its programs that are not installed."""
        return [name for name in cls.programs if not cls.path(name)]

    @classmethod
    def path(cls, name: str) -> str:
        return program(name)

    def url(self, user: str = USER, password: str = PASSWORD, database: str = DATABASE) -> str:
        from urllib.parse import quote

        return f"{self.scheme}://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def run(self, command: Sequence[str], text: str = "") -> None:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            user=self.user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C"},
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def serve(self, command: Sequence[str]) -> None:
        with open(self.folder / "server.log", "w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, user=self.user, cwd=self.folder
            )
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                told = (self.folder / "server.log").read_text()[-2000:]
                assert self.process.poll() is None, told
                assert time.monotonic() < deadline, told
                time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgreSQL(Server):
    scheme = "postgresql"
    programs = ("initdb", "postgres", "psql")
    stop_signal = signal.SIGINT  # SIGTERM waits for clients to leave

    @classmethod
    def path(cls, name: str) -> str:
        return program(name, *_POSTGRES)

    def start(self) -> PostgreSQL:
        data, owner = self.folder / "data", self.folder / "owner"
        owner.write_text("owner")
        owner.chmod(0o644)
        self.run(
            [self.path("initdb"), "-D", str(data), "-U", "owner", "-A", "scram-sha-256",
             f"--pwfile={owner}", "--no-sync"]
        )  # fmt: skip
        self.serve(
            [self.path("postgres"), "-D", str(data), "-p", str(self.port), "-h", "127.0.0.1",
             "-k", str(self.folder), "-F"]
        )  # fmt: skip
        self.sql(f"CREATE USER {USER} PASSWORD '{PASSWORD}'")
        self.sql(f"CREATE DATABASE {DATABASE} OWNER {USER}")
        return self

    def sql(self, statement: str) -> None:
        url = f"postgresql://owner:owner@127.0.0.1:{self.port}/postgres"
        for attempt in range(50):  # it listens before it is ready
            try:
                self.run([self.path("psql"), url, "-v", "ON_ERROR_STOP=1", "-c", statement])
                return
            except AssertionError as error:
                if "starting up" not in str(error) or attempt == 49:
                    raise
                time.sleep(0.2)


class MariaDB(Server):
    scheme = "mysql"
    programs = ("mariadb-install-db", "mariadbd", "mariadb")

    @classmethod
    def path(cls, name: str) -> str:
        return program(name, Path("/usr/sbin"))

    def start(self) -> MariaDB:
        data, socket_path = self.folder / "data", self.folder / "sock"
        self.run(
            [self.path("mariadb-install-db"), "--no-defaults", f"--datadir={data}",
             "--auth-root-authentication-method=normal", "--skip-test-db"]
        )  # fmt: skip
        self.serve(
            [self.path("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={self.port}",
             "--bind-address=127.0.0.1", f"--socket={socket_path}",
             "--innodb-flush-log-at-trx-commit=0"]
        )  # fmt: skip
        self.run(
            [self.path("mariadb"), "--no-defaults", "-u", "root", f"--socket={socket_path}"],
            f"CREATE DATABASE {DATABASE};"
            f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';"
            f"GRANT ALL ON {DATABASE}.* TO '{USER}'@'%';",
        )
        return self


SERVERS = (PostgreSQL, MariaDB)
