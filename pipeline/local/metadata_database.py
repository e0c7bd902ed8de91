"""Where lineage and the cache's memory are kept: a file, or a database server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from astromer.system.cluster import why_silent
from astromer.system.errors import MetadataError, UsageError
from astromer.system.storage import local_folder

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
        if reason := why_silent(self.host, self.port):
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
    return MetadataDatabase(SQLITE, str(Path(path).expanduser().absolute()))


def _wrong(rule: str, received: str) -> UsageError:
    return UsageError(f"--metadata must {rule}. Received: {received}.")
