"""The curated schema of light curves, as text and as a component's output."""

from components.schema.component import LightCurveSchemaGen, schema_text

__all__ = ["LightCurveSchemaGen", "schema_text"]
