"""The curated schema follows the rules."""

from __future__ import annotations

import dataclasses

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts
from tfx.utils import io_utils

from astromer.records.config import LightCurveRules
from astromer.validation.config import ValidationConfig
from components.schema import LightCurveSchemaGen, schema_text
from tests.components.conftest import artifact


def series(rules: LightCurveRules) -> dict[str, schema_pb2.Feature]:
    schema = text_format.Parse(schema_text(rules), schema_pb2.Schema())
    (sequence,) = (feature for feature in schema.feature if feature.name == "##SEQUENCE##")
    return {feature.name: feature for feature in sequence.struct_domain.feature}


def test_limits_come_from_the_rules():
    rules = LightCurveRules(min_observations=7, min_mag=-12.0, max_mag=21.5, max_errmag=0.5)

    features = series(rules)

    assert (features["mag"].float_domain.min, features["mag"].float_domain.max) == (-12.0, 21.5)
    assert 0 < features["errmag"].float_domain.min < 1e-6
    assert 0.4999 < features["errmag"].float_domain.max < 0.5
    for name in ("mjd", "mag", "errmag"):
        assert features[name].presence.min_fraction == 1
        assert features[name].float_domain.disallow_nan
        assert features[name].value_counts.value_count[1].min == 7
    assert features["mjd_residual"].presence.min_fraction == 0


def test_a_known_period_is_optional_and_positive():
    schema = text_format.Parse(schema_text(LightCurveRules()), schema_pb2.Schema())
    (period,) = (feature for feature in schema.feature if feature.name == "Period")
    assert (period.type, period.presence.min_fraction) == (schema_pb2.FLOAT, 0)
    assert 0 < period.float_domain.min < 1e-6
    assert period.float_domain.disallow_nan
    assert period.float_domain.disallow_inf


def test_a_changed_rule_changes_the_parameter_that_the_cache_sees():
    rules = LightCurveRules()
    changed = dataclasses.replace(rules, max_mag=39.0)
    parameters = [
        LightCurveSchemaGen(text=schema_text(r)).exec_properties for r in (rules, rules, changed)
    ]
    assert parameters[0] == parameters[1] != parameters[2]


def test_the_component_writes_what_tfx_reads(tmp_path):
    schema = artifact(standard_artifacts.Schema, tmp_path / "schema")
    text = schema_text(LightCurveRules())

    LightCurveSchemaGen.test_call(text=text, schema=schema)

    read = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema.uri))
    assert read == text_format.Parse(text, schema_pb2.Schema())


def test_residuals_that_are_only_warned_of_are_no_reason_to_stop():
    rules = LightCurveRules()
    assert series(rules)["mjd_residual"].float_domain.max == rules.max_residual
    assert "max: 0.5 " not in schema_text(rules, ValidationConfig(wrong_residual="warn"))
