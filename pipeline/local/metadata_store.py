"""The metadata store: how it is opened, the types in it, and what runs have left there.

TFX is imported late, so that a database that cannot be reached is reported at once.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import ml_metadata as mlmd
from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from astromer.system.errors import MetadataError, ModelError
from astromer.system.storage import as_path, remove_tree
from astromer.system.storage.lock import has_locks
from pipeline.local.metadata import (
    MYSQL,
    NO_LOCKS,
    PASSWORD_VARIABLES,
    POSTGRESQL,
    MetadataDatabase,
)

if TYPE_CHECKING:
    from tfx.proto.orchestration import pipeline_pb2

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
        file = Path(database.name)
        if has_locks(file.parent):
            config.sqlite.filename_uri = database.name
        else:
            config.sqlite.filename_uri = f"{file.as_uri()}?{NO_LOCKS}"
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


_SECONDS = 20.0  # a type takes milliseconds, so whoever was to register it has died
_MARK_TYPE = "mlmd.Dataset"  # every metadata database has it from the start


def register_types(store: metadata_store.MetadataStore, pipeline: pipeline_pb2.Pipeline) -> None:
    """Registers what is not there of the types of artifacts, executions and contexts.

    A type has no unique name for PostgreSQL: two runs that register it at once make two types,
    and artifacts of the second one are not found afterwards. The names of artifacts are unique.
    So one is made for each type, and who succeeds in that registers the type.
    """
    mark_type = store.get_artifact_type(_MARK_TYPE)
    for kind, wanted in _types(pipeline):
        look_up = getattr(store, f"get_{kind}_type")
        if _find(look_up, wanted.name) or (
            not _is_first(store, mark_type.id, f"type of {kind}: {wanted.name}")
            and _appears(look_up, wanted.name)
        ):
            continue
        put = getattr(store, f"put_{kind}_type")
        put(wanted, can_add_fields=True, can_omit_fields=True)


def _types(pipeline: pipeline_pb2.Pipeline) -> Iterator[tuple[str, Any]]:
    """Kind and type of everything that a run of the pipeline may register, each once."""
    found: dict[tuple[str, str], Any] = {}
    from tfx.orchestration.portable.mlmd import context_lib

    cache = metadata_store_pb2.ContextType(name=context_lib.CONTEXT_TYPE_EXECUTION_CACHE)
    found["context", cache.name] = cache
    for node in (each.pipeline_node for each in pipeline.nodes):
        types = [("execution", node.node_info.type)]
        types += [("context", context.type) for context in node.contexts.contexts]
        for inputs in node.inputs.inputs.values():
            types += [
                ("artifact", channel.artifact_query.type)
                for channel in inputs.channels
                if channel.HasField("artifact_query")
            ]
        types += [("artifact", o.artifact_spec.type) for o in node.outputs.outputs.values()]
        for kind, each in types:
            if each.name:
                found.setdefault((kind, each.name), each)
    for (kind, _), each in found.items():
        yield kind, each


def _is_first(store: metadata_store.MetadataStore, type_id: int, name: str) -> bool:
    mark = metadata_store_pb2.Artifact(type_id=type_id, name=name)
    try:
        store.put_artifacts([mark])
    except errors.AlreadyExistsError:
        return False
    return True


def _appears(look_up: Callable[[str], Any], name: str) -> bool:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if _find(look_up, name):
            return True
        time.sleep(0.05)
    return False


def _find(look_up: Callable[[str], Any], name: str) -> bool:
    try:
        look_up(name)
    except errors.NotFoundError:
        return False
    return True


_EXECUTION = metadata_store_pb2.Execution
_SYSTEM = ".system"


def settle_killed_runs(
    store: metadata_store.MetadataStore, pipeline: str, root: str, nodes: Iterable[str]
) -> list[int]:
    """Ends the executions that a process which was killed has left as new or running.

    TFX never looks at them again, so that lineage would show them at work for ever, and what they
    had begun to write would stay. Of those that failed or were stopped it keeps the working
    folders, which nothing here uses. The caller holds the lock of the output folder: no
    other run of this pipeline is at work.

    Args:
        store: the metadata store.
        pipeline: its name there.
        root: folder of the pipeline's artifacts.
        nodes: ids of the components.

    Returns:
        Ids of the executions.
    """
    from tfx.dsl.compiler import constants

    context = store.get_context_by_type_and_name(constants.PIPELINE_CONTEXT_TYPE_NAME, pipeline)
    if context is None:
        return []
    folders = [as_path(root) / node for node in nodes]
    for folder in folders:
        _remove_working(folder / _SYSTEM / "stateful_working_dir")
    unsettled = "(last_known_state = NEW OR last_known_state = RUNNING)"
    left = store.get_executions(
        mlmd.ListOptions(filter_query=f"contexts_c.id = {context.id} AND {unsettled}")
    )
    for execution in left:
        # The files go first: a kill in between leaves the claim, and the next run finds it.
        for folder in folders:
            _remove_outputs(folder, str(execution.id))
        execution.last_known_state = _EXECUTION.FAILED
    if left:
        store.put_executions(left)
    return [execution.id for execution in left]


def _remove_outputs(folder: Path, execution: str) -> None:
    """Numbers of executions are unique in a store, so a component has them or has them not."""
    kinds = folder.iterdir() if folder.is_dir() else iter(())
    places = [kind for kind in kinds if kind.name != _SYSTEM]
    for place in (*places, folder / _SYSTEM / "executor_execution"):
        if (place / execution).is_dir():
            remove_tree(place / execution)


def _remove_working(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            remove_tree(path)


def archived_copy(store: mlmd.MetadataStore, model: Path) -> str | None:
    """URI of the newest PushedModel artifact that was pushed to a folder; None if there is none.

    The artifact's own folder holds the same model. Importing it by this URI gives the very
    artifact, so that its lineage continues.

    Raises:
        ModelError: the artifact is known, but its folder is gone.
    """
    try:
        artifacts = store.get_artifacts_by_type("PushedModel")
    except mlmd.errors.NotFoundError:
        return None
    wanted = str(model.resolve())
    found = [
        artifact
        for artifact in sorted(artifacts, key=lambda artifact: artifact.id)
        if str(as_path(_destination(artifact)).resolve()) == wanted
    ]
    if not found:
        return None
    uri = found[-1].uri
    if not (as_path(uri) / "saved_model.pb").is_file():
        raise ModelError(
            f"The run that pushed {model} must still have its artifacts. {uri} is gone. Give the "
            "command that pushed it again, or copy the model elsewhere and name the copy."
        )
    return uri


def _destination(artifact: mlmd.proto.Artifact) -> str:
    return artifact.custom_properties["pushed_destination"].string_value or "/nowhere"
