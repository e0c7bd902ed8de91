"""Opens a metadata database with ML Metadata, and tells in words why one does not open."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from astromer.system.errors import MetadataError
from pipeline.local.metadata_database import MYSQL, PASSWORD_VARIABLES, POSTGRESQL, MetadataDatabase

_ATTEMPTS = 20  # runs that start at once make the tables of an empty database at once
_OF_ANOTHER_RUN = ("already exists", "concurrent", "deadlock", "subset of tables", "aborted")


def connection_config(database: MetadataDatabase) -> metadata_store_pb2.ConnectionConfig:
    """What ML Metadata and TFX connect with. It holds the password: do not log it."""
    config = metadata_store_pb2.ConnectionConfig()
    if database.scheme == POSTGRESQL:
        postgresql = config.postgresql
        postgresql.host, postgresql.port = database.host, str(database.port)
        postgresql.user, postgresql.password = database.user, database.password
        postgresql.dbname = database.name
        postgresql.skip_db_creation = True  # a mistyped name would be a new, empty database
        for name, value in database.options.items():
            setattr(postgresql.ssloption, name, value)
    elif database.scheme == MYSQL:
        mysql = config.mysql
        mysql.host, mysql.port = database.host, database.port
        mysql.user, mysql.password = database.user, database.password
        mysql.database = database.name
        mysql.skip_db_creation = True
        for name, value in database.options.items():
            setattr(mysql.ssl_options, name, value)
    else:
        config.sqlite.filename_uri = database.name
        config.sqlite.connection_mode = (
            metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        )
    return config


def open_store(database: MetadataDatabase) -> metadata_store.MetadataStore:
    """Connects, and makes the tables of an empty database.

    Raises:
        MetadataError: the server refuses, or the file cannot be made.
    """
    database.check_reachable()
    if not database.is_server:
        _make_folder(Path(database.name))
    for attempt in range(_ATTEMPTS):
        with tempfile.TemporaryFile("w+") as said:
            try:
                with _stderr_to(said):
                    return metadata_store.MetadataStore(connection_config(database))
            except RuntimeError as error:
                # Some of what the server answers is only printed.
                said.seek(0)
                answer = f"{error}\n{said.read()}"
        if not any(word in answer.lower() for word in _OF_ANOTHER_RUN) or attempt == _ATTEMPTS - 1:
            raise _refused(database, answer)
        time.sleep(0.2 * (attempt + 1))
    raise AssertionError  # unreachable


def _refused(database: MetadataDatabase, answer: str) -> MetadataError:
    answer = database.masked(answer)
    login = f"user {database.user!r}"
    if "password authentication failed" in answer or "mysql_real_connect failed" in answer:
        variable = PASSWORD_VARIABLES[database.scheme]
        given = "the password was refused" if database.password else "no password was given"
        why = f"it does not let {login} in: {given}. Set {variable}, or put the password in the URL"
        if database.scheme == MYSQL:
            why += "; MySQL 8 must let the user in by mysql_native_password"
    elif re.search(r'database ".*" does not exist|Unknown database|to database ', answer):
        why = (
            f"there is no database {database.name!r} that {login} may use. Make it, or correct the "
            "name"
        )
    else:
        why = f"it says: {_reason(answer)}"
    return MetadataError(f"the metadata database {database} cannot be used: {why}.")


def _reason(answer: str) -> str:
    found = re.search(r"(?:FATAL|ERROR|error): +(.+)", answer)
    text = found[1] if found else next(iter(answer.strip().splitlines()), "nothing")
    return text.strip()[:300].rstrip(".")


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MetadataError(
            f"the metadata database {file} cannot be made: {error.strerror}. Choose another "
            "--metadata."
        ) from error


@contextmanager
def _stderr_to(file: IO[str]) -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
