"""Every rule is documented with the severity, threshold, reason and advice that hold."""

from __future__ import annotations

from pathlib import Path

from astromer.records.config import LightCurveRules
from astromer.validation.config import Rule, ValidationConfig, all_rules
from astromer.validation.curve_check import CURVE_RULES
from tests.astromer.validation import corpus

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "validation.md"
HEAD = "| rule | severity | allowed | why | what to do |\n|---|---|---|---|---|\n"


def row(rule: Rule) -> str:
    cells = (f"`{rule.name}`", rule.severity, rule.threshold, rule.reason, rule.advice)
    return "| " + " | ".join(cells) + " |\n"


def test_the_document_lists_the_rules_as_they_are():
    assert HEAD + "".join(map(row, all_rules())) in DOCUMENT.read_text(encoding="utf-8")


def test_severities_and_thresholds_are_those_of_the_config():
    limits = LightCurveRules(min_observations=9)
    rules = {rule.name: rule for rule in all_rules(ValidationConfig(too_short="stop"), limits)}
    assert rules["too_short"].severity == "stop"
    assert rules["too_short"].threshold == "at least 9 observations"
    assert rules["constant_mag"].severity == "warn"


def test_every_rule_about_one_object_is_tried_by_the_corpus():
    tried = {rule for rule, _, _ in corpus.OBJECTS.values()} | {"constant_mag", "missing_id"}
    assert tried == set(CURVE_RULES)
