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

from astromer.records.cleaning import SMALLEST, float32_below
from astromer.records.config import LightCurveRules
from astromer.records.encoding import PERIOD
from astromer.system.errors import UsageError
from astromer.system.text import brief, shortened
from astromer.validation.config import REJECT, STOP, ValidationConfig

SEQUENCE = "##SEQUENCE##"
"""TFDV's name for the feature lists of a SequenceExample."""

_CONTEXT = {
    "ID": "BYTES",
    "Class": "BYTES",
    "Band": "BYTES",
    "Label": "INT",
    "newID": "INT",
    "shard": "INT",
    "id": "BYTES",
    "label": "INT",
    "length": "INT",
}
"""Context features in circulation; none is needed for training."""


def schema_text(rules: LightCurveRules, validation: ValidationConfig = ValidationConfig()) -> str:
    """A ``tensorflow.metadata.v0.Schema`` in protobuf text form.

    The three series must be there in every record, with enough observations and values in
    their ranges, never NaN or infinite. Context features are optional, and others may occur.
    A range that the validation only warns of, or does not look at, is no range here.
    """
    mag = _domain(rules.min_mag, rules.max_mag) if _holds(validation.mag_out_of_range) else ""
    mjd = _domain(rules.min_mjd, rules.max_mjd) if _holds(validation.mjd_out_of_range) else ""
    # TFDV's limits are inclusive, the rule for errors is not.
    errmag = _domain(rules.min_errmag + SMALLEST, float32_below(rules.max_errmag))
    if not _holds(validation.errmag_out_of_range):
        errmag = ""
    residual = _domain(-rules.max_residual, rules.max_residual)
    if not _holds(validation.wrong_residual):
        residual = ""
    least = rules.min_observations if _holds(validation.too_short) else 1
    series = [
        _series("mjd", "Times of observation [days].", mjd, least, required=True),
        _series("mag", "Magnitudes.", mag, least, required=True),
        _series("errmag", "1-sigma magnitude errors.", errmag, least, required=True),
        _series("mjd_residual", "What float32 lost of mjd [days].", residual, 0),
    ]
    lists = "\n".join(_indent(text) for text in series)
    return (
        "".join(_CONTEXT_FEATURE.format(name=name, type=kind) for name, kind in _CONTEXT.items())
        + _PERIOD_FEATURE
        + f"""feature {{
  name: "{SEQUENCE}"
  type: STRUCT
  presence {{ min_fraction: 1.0 min_count: 1 }}
  value_count {{ min: 1 max: 1 }}
  struct_domain {{
{lists}
  }}
}}
"""
    )


def _holds(severity: str) -> bool:
    """Whether no light curve that breaks the rule is left."""
    return severity in (REJECT, STOP)


_CONTEXT_FEATURE = """feature {{
  name: "{name}"
  type: {type}
  presence {{ min_count: 0 }}
  value_count {{ min: 0 max: 1 }}
}}
"""


_PERIOD_FEATURE = f"""# Known period [days].
feature {{
  name: "{PERIOD}"
  type: FLOAT
  presence {{ min_count: 0 }}
  value_count {{ min: 0 max: 1 }}
  float_domain {{ min: {SMALLEST:g} disallow_nan: true disallow_inf: true }}
}}
"""


def _series(name: str, meaning: str, domain: str, least: int, required: bool = False) -> str:
    presence = "min_fraction: 1.0 min_count: 1" if required else "min_count: 0"
    return f"""# {meaning}
feature {{
  name: "{name}"
  type: FLOAT
  presence {{ {presence} }}
  value_counts {{
    value_count {{ min: 1 max: 1 }}
    value_count {{ min: {least} }}
  }}
  float_domain {{ {domain} disallow_nan: true disallow_inf: true }}
}}"""


def _domain(low: float, high: float) -> str:
    return f"min: {low:.9g} max: {high:.9g}"


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


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
