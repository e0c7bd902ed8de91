"""Where lineage and the cache's memory are kept: a file, or a database server."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from astromer.system.atomic import write_file
from astromer.system.cluster import connection_error
from astromer.system.errors import MetadataError, UsageError, is_system_error
from astromer.system.storage import RemotePath, local_folder
from astromer.system.storage.lock import has_locks
from astromer.system.text import brief

SQLITE, POSTGRESQL, MYSQL = "sqlite", "postgresql", "mysql"
_SCHEMES = {
    "sqlite": SQLITE,
    "postgresql": POSTGRESQL,
    "postgres": POSTGRESQL,
    "mysql": MYSQL,
    "mariadb": MYSQL,
}
_PORTS = {POSTGRESQL: 5432, MYSQL: 3306}
PASSWORD_VARIABLES = {POSTGRESQL: "PGPASSWORD", MYSQL: "MYSQL_PWD"}
"""The ones that the servers' own programs read."""
_OPTIONS = {
    POSTGRESQL: ("sslmode", "sslrootcert", "sslcert", "sslkey"),
    MYSQL: ("ca", "cert", "key"),
}
_FORMS = "postgresql://USER@HOST:PORT/DATABASE, mysql://USER@HOST:PORT/DATABASE or sqlite:///FILE"


@dataclass(frozen=True)
class MetadataDatabase:
    """A metadata database.

    Attributes:
        scheme: "sqlite", "postgresql" or "mysql" (MariaDB is one).
        name: of the database; for SQLite, the path of the file.
        host, port, user, password: of the server.
        options: for the encryption of the connection, by name.
    """

    scheme: str
    name: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_server(self) -> bool:
        """Whether several outputs share it."""
        return self.scheme != SQLITE

    def __str__(self) -> str:
        """The URL without the password."""
        if not self.is_server:
            return f"sqlite:///{self.name}"
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}/{self.name}"

    def masked(self, text: str) -> str:
        """A text without the password."""
        return text.replace(self.password, "***") if self.password else text

    def check_reachable(self) -> None:
        """Makes sure that a server listens there.

        Raises:
            MetadataError: none does.
        """
        if not self.is_server:
            return
        if reason := connection_error(self.host, self.port):
            raise MetadataError(
                f"the metadata database must be reachable. Nothing answers at {self.host}, port "
                f"{self.port} (--metadata {self}): {reason}. Start the server, or correct host "
                "and port."
            )


def metadata_database(
    url: str, output: Path, environment: Mapping[str, str] = os.environ
) -> MetadataDatabase:
    """The database of a URL; the file in the output folder for an empty one, or in the
    local folder that belongs to an output folder in a store.

    Args:
        url: as ``--metadata`` takes it.
        output: the output folder.
        environment: has the password where the URL has none: PGPASSWORD, MYSQL_PWD.

    Raises:
        UsageError: the URL is none of a metadata database. The message does not show it, since
            there may be a password in it.
    """
    if not url:
        return MetadataDatabase(SQLITE, str(local_folder(output) / "metadata" / "metadata.sqlite"))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Nothing of it is shown: what is taken for the port may be part of a password.
        raise _wrong(
            f"be one of {_FORMS}",
            "a URL whose host or port is malformed; write / as %2F, : as %3A and @ as %40 in a "
            "password",
        ) from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None:
        received = f"scheme {parts.scheme!r}" if parts.scheme else "a URL without a scheme"
        raise _wrong(f"be one of {_FORMS}", received)
    if scheme == SQLITE:
        return _file(parts)
    name = unquote(parts.path.removeprefix("/"))
    user = unquote(parts.username or "")
    for what, value in (("user", user), ("host", parts.hostname), ("database", name)):
        if not value:
            raise _wrong(f"name a {what}, as in {_FORMS}", f"a {scheme} URL without one")
    if "/" in name:
        raise _wrong("end with the name of one database", "a path of several parts")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - set(_OPTIONS[scheme])):
        raise _wrong(f"have none but the options {', '.join(_OPTIONS[scheme])}", unknown[0])
    host = str(parts.hostname)
    if scheme == MYSQL and host == "localhost":
        host = "127.0.0.1"  # its client takes "localhost" for a socket file
    password = unquote(parts.password or "") or environment.get(PASSWORD_VARIABLES[scheme], "")
    return MetadataDatabase(scheme, name, host, port or _PORTS[scheme], user, password, options)


def _file(parts: SplitResult) -> MetadataDatabase:
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path:
        raise _wrong(
            "name a file after three slashes for SQLite, and after four an absolute path",
            "a sqlite URL without one" if not path else f"the host {parts.hostname!r}",
        )
    file = Path(path).expanduser().absolute()
    there = next(folder for folder in file.parents if folder.is_dir())
    if not has_locks(there):
        raise _wrong(
            "lie on a file system with locks, since several runs may use it",
            f"{there}, which has none (Lustre without flock, for instance)",
        )
    return MetadataDatabase(SQLITE, str(file))


def _wrong(rule: str, received: str) -> UsageError:
    return UsageError(f"--metadata must {rule}. Received: {received}.")


NO_LOCKS = "nolock=1"
"""Of SQLite's addresses; for a file system without locks, where that of the output folder does."""
_TABLE = "MLMDEnv"
"""Every database of ML Metadata has it."""


def check_sound(file: Path) -> None:
    """Looks at all pages and indexes of a database. One that is not there yet is sound.

    Raises:
        MetadataError: it is damaged, or is none of ML Metadata.
    """
    if not file.exists():
        return
    try:
        locks = "" if has_locks(file.parent) else f"&{NO_LOCKS}"
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw{locks}", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if is_system_error(error):
            raise
        raise _damaged(file, brief(error)) from error
    if found != ["ok"]:
        raise _damaged(file, found[0].strip().splitlines()[-1])
    if _TABLE not in tables:
        raise _damaged(file, "it has no tables of ML Metadata" if tables else "it is empty")


def _damaged(file: Path, what: str) -> MetadataError:
    return MetadataError(
        f"the metadata database must be whole. Received: {file}: {what.rstrip('.')}. Put a copy of "
        "it back, or move it away: versions and trainings stay, lineage and the cache begin anew "
        "(docs/metadata.md)."
    )


def set_aside_orphans(file: Path, root: Path) -> Path | None:
    """Moves artifacts aside whose database is gone.

    A new database numbers artifacts from 1 again. What lies in their folders would be taken for a
    part of theirs, records of another survey for instance.

    Args:
        file: the database.
        root: folder of the artifacts.

    Returns:
        Where they lie now; None where there was nothing to move.
    """
    if isinstance(root, RemotePath):
        return None  # a store renames no folders
    if file.exists() or not root.is_dir() or not any(root.iterdir()):
        return None
    number = 1
    while (place := root.with_name(f"{root.name}.orphaned-{number}")).exists():
        number += 1
    root.rename(place)
    return place


ID_FILE = "pipeline_id"


def pipeline_name(name: str, output: Path) -> str:
    """The name of a pipeline in a database that several output folders share.

    TFX looks for cached results and for earlier models among runs of the same pipeline name, so
    the output folder is part of it: by a random number in a file, since folders on two machines
    may have one path. A folder that was deleted comes back as another one, for which nothing is
    cached.

    Args:
        name: of the pipeline.
        output: its output folder, which this process has locked.
    """
    file = output / "metadata" / ID_FILE
    try:
        known = file.read_text().strip()
    except FileNotFoundError:
        known = ""
    if not known:
        known = secrets.token_hex(4)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, known + "\n")
    return f"{name}-{known}"
