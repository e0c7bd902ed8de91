"""Worker processes that Beam's local runner has started and lost: it would wait for them for ever.

Changes Beam 2.74: the runner's requests to a process that has ended are answered with an error.
"""

from __future__ import annotations

import threading
from typing import Any

from astromer.system.errors import WorkerLostError

_MESSAGE = (
    "Beam needs all of its worker processes. Received: one was killed (exit code {code}), mostly "
    "because memory ran out. Run the same command again to resume, with fewer workers "
    "(--direct_num_workers) if memory is short."
)


def tell_lost_workers() -> None:
    """From now on a pipeline ends when a worker process of this machine does.

    The error of the runner names a WorkerLostError, which
    :func:`astromer.system.errors.worker_error` finds.
    """
    from apache_beam.runners.portability import local_job_service
    from apache_beam.runners.portability.fn_api_runner import worker_handlers

    class Worker(local_job_service.SubprocessSdkWorker):
        """Answers for a process that has ended."""

        connection: Any = None

        def run(self) -> None:
            try:
                super().run()
            except RuntimeError as error:
                if self.connection is None:  # of a job server
                    raise
                _answer(self.connection, str(error).rpartition(" ")[2])

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

    name = f"{WorkerLostError.__module__}.{WorkerLostError.__name__}"
    for number, asked in list(connection._futures_by_id.items()):
        told = f"{name}: {_MESSAGE.format(code=code)}"
        asked.set(beam_fn_api_pb2.InstructionResponse(instruction_id=number, error=told))
