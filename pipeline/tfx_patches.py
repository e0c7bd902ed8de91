"""Every place where this package replaces what is inside TFX, ML Metadata or Python's imports.

The replaced names are private to TFX 1.16: another version is refused. Nothing here imports TFX
before it is asked to.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from astromer.system.errors import UsageError

if TYPE_CHECKING:
    from ml_metadata.proto import metadata_store_pb2
    from tfx.types import Artifact

_TFX = "1.16."
PACKAGES = ("tfx.components", "tensorflow_model_analysis")
"""Packages of which a run uses some submodules, or nothing but a name in an annotation."""

_LONGEST = 2000
"""Bytes of a value. PostgreSQL refuses 2,704 in an index, and ML Metadata indexes all values."""


def require_known_tfx() -> None:
    """Makes sure that TFX is a version whose internals this module knows.

    Raises:
        UsageError: it is another one.
    """
    version = importlib.metadata.version("tfx")
    if not version.startswith(_TFX):
        raise UsageError(
            f"TFX must be version {_TFX}x, whose internals pipeline/tfx_patches.py replaces. "
            f"Received: {version}. Install the versions of requirements.lock: `make setup`."
        )


@contextmanager
def patched_tfx(on_altered: Callable[[str], object], *, server: bool) -> Iterator[None]:
    """Inside, TFX runs pipelines faster, and checks what it takes from the cache.

    Args:
        on_altered: called with the folder of each result of an earlier run whose files have
            changed since. The cache withholds such a result, so that its component runs again.
        server: whether the metadata are kept by a database server.
    """
    require_known_tfx()
    from ml_metadata.metadata_store import metadata_store
    from tfx.orchestration.portable import cache_utils
    from tfx.orchestration.portable.input_resolution import channel_resolver

    with contextlib.ExitStack() as patches:
        for owner, name, patch in (
            (channel_resolver, "_get_executions_by_all_contexts", executions_in_all),
            (
                cache_utils,
                "get_cached_outputs",
                _whole_outputs(cache_utils.get_cached_outputs, on_altered),
            ),
            *(
                [(metadata_store.MetadataStore, "_call", _call_server(metadata_store))]
                if server
                else []
            ),
        ):
            patches.enter_context(_replaced(owner, name, patch))
        yield


@contextmanager
def _replaced(owner: Any, name: str, patch: Any) -> Iterator[None]:
    kept = getattr(owner, name)
    setattr(owner, name, patch)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def executions_in_all(
    store: Any, contexts: Sequence[metadata_store_pb2.Context]
) -> list[metadata_store_pb2.Execution]:
    """The executions that belong to all of some contexts, by their ids; none for no context.

    For each input TFX reads all executions that a pipeline has ever had, and keeps those of the
    run and component in question: seconds in a run after a hundred of them. Here the database is
    asked for these alone.
    """
    import ml_metadata as mlmd

    if not contexts:
        return []
    wanted = " AND ".join(
        f"contexts_{number}.id = {context.id}" for number, context in enumerate(contexts)
    )
    found = store.get_executions(list_options=mlmd.ListOptions(filter_query=wanted))
    return sorted(found, key=lambda execution: execution.id)


def _whole_outputs(find: Callable[..., Any], on_altered: Callable[[str], object]) -> Any:
    """TFX's look-up in the cache, repeated until no file of the result has changed."""
    from pipeline.local.artifact_content import altered, withdraw

    def find_whole(metadata_handle: Any, cache_context: Any) -> dict[str, list[Artifact]] | None:
        while (found := find(metadata_handle, cache_context)) is not None:
            gone = altered(artifact for artifacts in found.values() for artifact in artifacts)
            if not gone:
                break
            withdraw(metadata_handle.store, gone)
            for artifact in gone:
                on_altered(artifact.uri)
        return found

    return find_whole


def _call_server(metadata_store: Any) -> Callable[..., Any]:
    """A call of ML Metadata that makes database servers do what TFX expects of a file.

    Long parameters of executions are stored as their beginning and their SHA-256. Executors get
    theirs from the pipeline, and the cache compares a digest of them: only people read them from
    the database.

    Rows come back by their ids, and types as they were asked for. TFX's cache pairs events,
    artifacts and types by their places. PostgreSQL gives the rows that were updated last, and no
    server gives types in the order of the question: one output would be taken for another.
    """
    send = metadata_store.MetadataStore._call

    def call(store: Any, method: str, request: Any, response: Any, *rest: Any) -> Any:
        for execution in _executions(request):
            _shorten(execution)
        answer = send(store, method, request, response, *rest)
        if not _is_ordered(request):
            _sort(request, response)
        return answer

    return call


def _executions(request: Any) -> list[Any]:
    fields = request.DESCRIPTOR.fields_by_name
    if "execution" in fields and fields["execution"].message_type.name == "Execution":
        return [request.execution]
    if "executions" in fields and fields["executions"].message_type.name == "Execution":
        return list(request.executions)
    return []


def _is_ordered(request: Any) -> bool:
    """Whether whoever asks has said in which order."""
    return "options" in request.DESCRIPTOR.fields_by_name and request.HasField("options")


def _sort(request: Any, response: Any) -> None:
    fields = response.DESCRIPTOR.fields_by_name
    for name in ("artifacts", "executions", "contexts"):
        if name in fields:
            getattr(response, name).sort(key=lambda row: row.id)
    if "events" in fields:
        response.events.sort(key=lambda event: (event.execution_id, event.artifact_id))
    if "type_ids" in request.DESCRIPTOR.fields_by_name and "artifact_types" in fields:
        types = {each.id: each for each in response.artifact_types}
        asked_for = [types[number] for number in request.type_ids if number in types]
        del response.artifact_types[:]
        response.artifact_types.extend(asked_for)


def _shorten(execution: Any) -> None:
    for properties in (execution.properties, execution.custom_properties):
        for value in properties.values():
            encoded = value.string_value.encode()
            if len(encoded) > _LONGEST:
                digest = hashlib.sha256(encoded).hexdigest()
                beginning = encoded[: _LONGEST - 100].decode(errors="ignore")
                value.string_value = f"{beginning} ... {len(encoded)} bytes, sha256 {digest}"


class _Postponed(ModuleType):
    """A package whose ``__init__`` runs when a name is asked for that only it can give."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        if importlib.util.find_spec(full) is not None:
            return importlib.import_module(full)
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on like any other
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def postpone(package: str) -> None:
    """Makes a package available without running its ``__init__`` before it is needed.

    Does nothing where the package has been imported already, or is not installed.
    """
    if package in sys.modules:
        return
    parent, _, name = package.rpartition(".")
    spec = importlib.util.find_spec(package)  # imports the parent
    if spec is None or spec.submodule_search_locations is None:
        return
    module = _Postponed(package)
    module.__spec__, module.__path__ = spec, spec.submodule_search_locations
    module.__file__, module.__package__, module.__loader__ = spec.origin, package, spec.loader
    sys.modules[package] = module
    if parent:
        setattr(sys.modules[parent], name, module)


@contextmanager
def quick_imports() -> Iterator[None]:
    """Imports inside take two thirds of the time.

    What is imported stays until the process ends, so that looking for garbage in it, while it is
    loaded and ever after, finds nothing.
    """
    require_known_tfx()
    for package in PACKAGES:
        postpone(package)
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
