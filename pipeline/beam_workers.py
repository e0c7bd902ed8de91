"""Worker processes that Beam's local runner has started and lost: it would wait for them for ever.

Changes Beam 2.74: the runner's requests to a process that has ended are answered with an error, and
the other processes are ended, since the runner waits until they have done their part.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from astromer.system.errors import WorkerLostError

_MESSAGE = (
    "Beam needs all of its worker processes. Received: one was killed (exit code {code}), mostly "
    "because memory ran out. Run the same command again to resume, with fewer workers "
    "(--direct_num_workers) if memory is short."
)
_told: list[str] = []


def lost_worker() -> WorkerLostError | None:
    """What to raise where a worker process was lost, whatever the runner says."""
    return WorkerLostError(_told[0]) if _told else None


def tell_lost_workers() -> None:
    """From now on a pipeline ends when a worker process of this machine does."""
    from apache_beam.runners.portability import local_job_service
    from apache_beam.runners.portability.fn_api_runner import worker_handlers

    class Worker(local_job_service.SubprocessSdkWorker):
        """A process, for which this one answers when it has ended."""

        connection: Any = None

        def run(self) -> None:
            try:
                super().run()
            except RuntimeError as error:
                if self.connection is None:  # of a job server
                    raise
                _answer(self.connection, str(error).rpartition(" ")[2])
                _end_workers()

    def start_worker(handler: Any) -> None:
        handler.worker = Worker(
            handler._worker_command_line,
            handler.control_address,
            handler.provision_info,
            handler.worker_id,
        )
        handler.worker.connection = handler.control_conn
        handler.worker_thread = threading.Thread(name="run_worker", target=handler.worker.run)
        handler.worker_thread.start()

    worker_handlers.SubprocessSdkWorkerHandler.start_worker = start_worker


def _answer(connection: Any, code: str) -> None:
    from apache_beam.portability.api import beam_fn_api_pb2

    _told.append(_MESSAGE.format(code=code))
    for number, asked in list(connection._futures_by_id.items()):
        answer = beam_fn_api_pb2.InstructionResponse(instruction_id=number, error=_told[0])
        asked.set(answer)


def _end_workers() -> None:
    """Ends the worker processes that this one has started."""
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            with suppress(OSError):
                if b"sdk_worker_main" in Path("/proc", child, "cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)
