"""Registers a pipeline's types in a process of its own: ``register_types.py URL PIPELINE``.

Begins when a line comes in, as others do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tfx.proto.orchestration import pipeline_pb2

from pipeline.local.metadata import metadata_database
from pipeline.local.metadata_store import open_store, register_types


def main() -> None:
    url, path = sys.argv[1:]
    pipeline = pipeline_pb2.Pipeline.FromString(Path(path).read_bytes())
    print("ready", flush=True)
    sys.stdin.readline()
    register_types(open_store(metadata_database(url, Path.cwd())), pipeline)


if __name__ == "__main__":
    main()
