"""``astromer embed --beam``: a survey is embedded by the workers of an engine that Beam reaches.

The job runs in a process of its own, in a group with the workers of this machine: whatever ends
the job, they end with it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, cast

from astromer.commands.embed import EmbedOptions
from astromer.commands.model import chosen_model
from astromer.serving.config import STARTER
from astromer.serving.starter.package import FOLDER
from astromer.system.errors import AstromerError, UsageError, WorkerLostError
from astromer.system.logs import silence
from astromer.system.storage import as_path
from astromer.system.storage.lock import locked
from astromer.system.text import brief
from pipeline.beam_options import read_beam_options
from pipeline.beam_workers import tell_lost_workers
from pipeline.local.failures import foreseen

PARTIAL = ".partial"
"""What the names of files end with that are being written."""
_ROOT = Path(__file__).resolve().parents[1]
_GRACE = 5.0
"""Seconds that a job has to end by itself, once it has told how it went."""


@dataclass(frozen=True)
class Job:
    """What a job does.

    Attributes:
        options: of ``astromer embed``.
        beam: Beam's arguments.
        model: a folder that the workers reach, or ``starter``, which is in the package of each.
        out: the folder of the shards, with its scheme where it is in a store.
    """

    options: EmbedOptions
    beam: tuple[str, ...]
    model: str
    out: str


def embed_on_beam(options: EmbedOptions) -> Path:
    """Embeds a survey; shards of an earlier call of the same job stay.

    Raises:
        AstromerError: as of ``astromer embed``; the first error of a worker is raised as its own.
        OutputLockedError: another job writes to the folder.
        WorkerLostError: a worker process of this machine was killed.
    """
    beam = read_beam_options(options.beam, components=()).everywhere
    if find_spec("apache_beam") is None:
        raise AstromerError(
            "--beam needs Apache Beam, which is not installed. Install it, with what the runner "
            'needs, for instance: pip install "apache-beam[gcp]==2.74.0".'
        )
    stored = "://" in options.out
    out = as_path(options.out)
    if not stored and out.is_file():
        raise UsageError(f"--out must be a folder, with --beam. Received: {out}, which is a file.")
    model = chosen_model(options.model)
    job = Job(
        options,
        beam,
        STARTER if model == FOLDER else str(model if "://" in str(model) else model.absolute()),
        options.out.rstrip("/") if stored else str(out.absolute()),
    )
    with ExitStack() as held:
        if not stored:
            held.enter_context(locked(out, "--out"))
            held.callback(_remove_unfinished, out)
        made = _in_own_group(job)
    print(
        f"{made['rows']} embeddings of width {made['width']} by {made['model']['title']} in {out}: "
        f"{made['shards']} files, {made['new']} of them new"
    )
    return out


def _remove_unfinished(out: Path) -> None:
    for left in out.glob(f".*{PARTIAL}"):
        left.unlink(missing_ok=True)


def _in_own_group(job: Job) -> dict[str, Any]:
    """Runs the job; whatever happens, none of its processes is left."""
    number, log = tempfile.mkstemp(prefix="astromer-beam-", suffix=".log")
    os.close(number)
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, job, log))
    process.start()
    sender.close()
    ending: dict[str, Any] | AstromerError | None = None
    try:
        ending = receiver.recv()
    except EOFError:
        ending = WorkerLostError(
            "The job needs all of its processes. Received: the one that leads was killed, mostly "
            "because memory ran out. Run the same command again to resume."
        )
    finally:
        if ending is not None:
            process.join(_GRACE)
        with suppress(ProcessLookupError):
            os.killpg(cast(int, process.pid), signal.SIGKILL)
        process.kill()
        process.join()
        if type(ending) is not AstromerError:  # which nobody knows
            os.unlink(log)
    if type(ending) is AstromerError:
        raise AstromerError(f"{ending} Traceback: {log}.")
    if isinstance(ending, AstromerError):
        raise ending
    return ending


def _work(sender: Connection, job: Job, log: str) -> None:
    """Runs the job in this process, and sends what came of it."""
    os.setsid()
    with open(log, "w") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())

    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What libraries do must not depend on who loads them, in workers either.
    silence()
    places = [str(_ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    sender.send(_ending(lambda: _run(job)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


def _ending(work: Callable[[], dict[str, Any]]) -> dict[str, Any] | AstromerError:
    try:
        return work()
    except Exception as error:
        traceback.print_exc()
        known = foreseen(error) or AstromerError(
            f"Beam failed: {type(error).__name__}: {brief(error)}."
        )
        known.__cause__ = known.__context__ = None
        return known
    finally:
        sys.stderr.flush()


def _run(job: Job) -> dict[str, Any]:
    from pipeline.embedding_job import run

    tell_lost_workers()
    return run(job.options, job.beam, job.model, job.out)
