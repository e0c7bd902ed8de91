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

from astromer.system.errors import UsageError
from astromer.system.text import brief, shortened

SCHEMA_FILE = "schema.pbtxt"


def check_text(text: str) -> None:
    """Raises UsageError for a text that is no schema."""
    try:
        text_format.Parse(text, schema_pb2.Schema())
    except (text_format.ParseError, ValueError, RecursionError) as error:
        raise UsageError(
            "The light-curve schema must be a tensorflow.metadata.v0.Schema in protobuf text form. "
            f"Received: {shortened(text)!r} ({brief(error, 200)}). Leave it to the "
            "pipeline, which writes it from the rules."
        ) from None


@component
def LightCurveSchemaGen(text: Parameter[str], schema: OutputArtifact[standard_artifacts.Schema]):
    """Writes the schema artifact.

    Args:
        text: a ``tensorflow.metadata.v0.Schema`` in protobuf text form.
        schema: output; the text with its comments, in ``schema.pbtxt``.
    """
    check_text(text)
    io_utils.write_string_file(os.path.join(schema.uri, SCHEMA_FILE), text)
