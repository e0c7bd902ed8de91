"""As much of Vertex AI's API (gRPC) as a submission uses."""

from __future__ import annotations

from concurrent import futures
from typing import Any

import grpc


class Vertex:
    """Takes jobs and schedules, and runs none.

    Args:
        key, certificate: PEM.

    Attributes:
        port: on 127.0.0.1.
        requests: what was asked for, in order.
    """

    def __init__(self, key: bytes, certificate: bytes):
        self.requests: list[Any] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        credentials = grpc.ssl_server_credentials([(key, certificate)])
        self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.add_generic_rpc_handlers((_Services(self.requests),))
        self._server.start()

    def stop(self) -> None:
        """Ends it."""
        self._server.stop(None)


class _Services(grpc.GenericRpcHandler):
    def __init__(self, requests: list[Any]):
        self._requests = requests

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        from google.cloud.aiplatform_v1 import types

        name = details.method.rpartition("/")[2]
        if name not in ("CreatePipelineJob", "CreateSchedule"):
            return None
        asked = getattr(types, f"{name}Request")

        def answer(request: Any, _: grpc.ServicerContext) -> Any:
            self._requests.append(request)
            if name == "CreateSchedule":
                made = types.Schedule(request.schedule)
                made.name = f"{request.parent}/schedules/1"
                return made
            made = types.PipelineJob(request.pipeline_job)
            made.name = f"{request.parent}/pipelineJobs/{request.pipeline_job_id}"
            return made

        made = types.Schedule if name == "CreateSchedule" else types.PipelineJob
        return grpc.unary_unary_rpc_method_handler(answer, asked.deserialize, made.serialize)
