"""Component that puts a schema text into the pipeline.

Unlike ImportSchemaGen, whose parameter is a path, a changed text invalidates the cache.
"""

import os

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import io_utils

SCHEMA_FILE = "schema.pbtxt"


@component
def LightCurveSchemaGen(text: Parameter[str], schema: OutputArtifact[standard_artifacts.Schema]):
    """Writes the schema artifact.

    Args:
        text: a ``tensorflow.metadata.v0.Schema`` in protobuf text form.
        schema: output; the text with its comments, in ``schema.pbtxt``.
    """
    text_format.Parse(text, schema_pb2.Schema())
    io_utils.write_string_file(os.path.join(schema.uri, SCHEMA_FILE), text)
