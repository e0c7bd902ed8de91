"""Whatever a survey is called, YAML readers get it back."""

from __future__ import annotations

import math

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from astromer.serving.model_card.yaml_text import to_yaml

TEXTS = st.text(st.characters(), max_size=20)
SCALARS = st.one_of(
    TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False), st.just("")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
@example({"no": "yes", "y": "off", "1": "0x10", "null": "~", "a: b": "- c # d"})
@example({"survey": 'OGLE "4": a\n--- b\r\u2028\x85\x00\U0001f600\ufeff\''})
@example({"numbers": [1e-05, 1e22, -0.0, 1e300, float("inf"), 2.0, 123456789012345678901234567890]})
@example({"nested": [[], {}, [[1, [2]], {"a": [{"b": None}]}], "", "2026-01-01", "12:30:45"]})
def test_yaml_readers_get_it_back(content: dict) -> None:
    text = to_yaml(content)
    text.encode("utf-8")
    found = yaml.safe_load(text) or {}
    assert found == content
    assert repr(found) == repr(content)  # 1 is not True, and 2.0 not 2


def test_what_is_no_number_stays_none() -> None:
    assert math.isnan(yaml.safe_load(to_yaml({"a": float("nan")}))["a"])
