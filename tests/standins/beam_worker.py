"""What an image's entry point does: Beam's start program (boot) for Python's workers."""

from __future__ import annotations

import argparse
import os

import grpc
from apache_beam.portability.api import (
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    endpoints_pb2,
)
from apache_beam.runners.worker import sdk_worker_main
from google.protobuf import json_format, text_format


def main() -> None:
    """Works until there is no more work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--id", required=True)
    for name in ("logging", "control", "artifact", "provision"):
        parser.add_argument(f"--{name}_endpoint", required=True)
    args, _ = parser.parse_known_args()
    with grpc.insecure_channel(args.provision_endpoint) as channel:
        answer = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel).GetProvisionInfo(
            beam_provision_api_pb2.GetProvisionInfoRequest(),
            metadata=[("worker_id", args.id)],
        )
    os.environ.update(
        WORKER_ID=args.id,
        PIPELINE_OPTIONS=json_format.MessageToJson(answer.info.pipeline_options),
        LOGGING_API_SERVICE_DESCRIPTOR=_descriptor(args.logging_endpoint),
        CONTROL_API_SERVICE_DESCRIPTOR=_descriptor(args.control_endpoint),
    )
    sdk_worker_main.main([])


def _descriptor(address: str) -> str:
    return text_format.MessageToString(endpoints_pb2.ApiServiceDescriptor(url=address))


if __name__ == "__main__":
    main()
