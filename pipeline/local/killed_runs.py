"""What a killed run has left in the metadata store and beside it, settled by the next run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants

from astromer.system.storage import as_path
from astromer.system.storage.trees import remove_tree

_EXECUTION = metadata_store_pb2.Execution
_SYSTEM = ".system"


def settle_killed_runs(
    store: metadata_store.MetadataStore, pipeline: str, root: str, nodes: Iterable[str]
) -> list[int]:
    """Ends the executions that a process which was killed has left as new or running.

    TFX never looks at them again, so that lineage would show them at work for ever, and what they
    had begun to write would stay. Of those that failed or were stopped it keeps the working
    folders, from which nothing here goes on. The caller holds the lock of the output folder: no
    other run of this pipeline is at work.

    Args:
        store: the metadata store.
        pipeline: its name there.
        root: folder of the pipeline's artifacts.
        nodes: ids of the components.

    Returns:
        Ids of the executions.
    """
    context = store.get_context_by_type_and_name(constants.PIPELINE_CONTEXT_TYPE_NAME, pipeline)
    if context is None:
        return []
    folders = [as_path(root) / node for node in nodes]
    for folder in folders:
        _remove_working(folder / _SYSTEM / "stateful_working_dir")
    unsettled = "(last_known_state = NEW OR last_known_state = RUNNING)"
    left = store.get_executions(
        metadata_store.ListOptions(filter_query=f"contexts_c.id = {context.id} AND {unsettled}")
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
