"""What the runners of clusters do in the same way: check, compile, write, submit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from astromer.system.environment import require
from astromer.system.errors import UsageError
from astromer.system.logs import redirect_output, silence
from astromer.system.storage import RemotePath, as_path
from astromer.system.storage.remote import file_system
from pipeline.cluster.cluster_options import ClusterRun
from pipeline.local.failures import one_line_errors

if TYPE_CHECKING:
    from pipeline.cluster.cluster_runner import Compiled

Submit = Callable[["Compiled"], str]
"""Starts a compiled pipeline and says where to watch it."""


def compile_and_submit(run: ClusterRun, dialect: str, connect: Callable[[], Submit]) -> int:
    """Writes the compiled pipeline and, if asked to, starts it.

    Args:
        run: what the command line asks for.
        dialect: name of one of :mod:`pipeline.cluster.cluster_runner`'s.
        connect: reaches the cluster; called first, since compiling takes its time.

    Raises:
        MissingExtraError: TFX is not installed.
        UsageError: the spec cannot be written, or TensorFlow cannot read data and output.
        ClusterError: the cluster cannot be reached, or refuses.
    """
    require("pipeline", "tfx")
    try:
        run.spec.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--spec must be a file in a folder that can be written to. Received: {run.spec} "
            f"({error.strerror})."
        ) from error
    log = run.spec.with_suffix(".log")
    silence()
    with one_line_errors(log), redirect_output(log):
        check_readable(run)
        submit = connect() if run.cluster.submit else None
        print("compiling ...", flush=True)
        from pipeline.cluster import cluster_runner

        compiled = cluster_runner.compile_pipeline(run, getattr(cluster_runner, dialect))
        values = compiled.write(run.spec)
        tasks = len(compiled.spec["root"]["dag"]["tasks"])
        print(f"compiled      {run.spec}  ({tasks} steps, {len(compiled.values)} parameters)")
        print(f"parameters    {values}")
        if submit is not None:
            print(submit(compiled))
    return 0


def check_readable(run: ClusterRun) -> None:
    """Checks that TensorFlow, as installed here and so in the image, reads data and output.

    Raises:
        UsageError: it does not; the message names the option.
    """
    for flag, place in (("--data", run.config.data), ("--output", run.config.output)):
        path = as_path(place)
        if isinstance(path, RemotePath):
            try:
                file_system(str(path))
            except UsageError as error:
                raise UsageError(
                    f"{flag} must be a place that TensorFlow reads, here and in the image. "
                    f"Received: {place}. {error}"
                ) from error
