"""The light-curve schema: any bytes as its text, and anomalies that are read back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from astromer.records.config import LightCurveRules
from components.schema.component import check_text, schema_text
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, allowed, require


def check(data: bytes, folder: Path) -> None:
    """A text is a schema or refused; rules with any numbers give a schema with these numbers."""
    text = data.decode("utf-8", errors="replace")
    allowed(lambda: check_text(text), "schema")
    choices = Choices(data)
    rules = dataclasses.replace(
        LightCurveRules(),
        min_mag=choices.number(),
        max_mag=choices.number(),
        max_mjd=choices.number(),
        max_errmag=choices.number(),
    )
    schema = schema_pb2.Schema()
    text_format.Parse(schema_text(rules), schema)
    names = {feature.name for feature in schema.feature}
    require("##SEQUENCE##" in names, "the schema lacks the series")


def seeds() -> Iterable[bytes]:
    """The schema itself, and pieces of such."""
    return [b"", schema_text(LightCurveRules()).encode(), b'feature { name: "a" type: FLOAT }']


TARGET = Target("schema", "the text of a schema, and rules as a schema", check, seeds)
