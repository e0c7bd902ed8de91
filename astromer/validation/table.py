"""What validation found, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from astromer.records.config import LightCurveRules
from astromer.records.fold import SPLITS
from astromer.system.text import shortened
from astromer.validation.findings import Finding
from astromer.validation.outcome import headline
from astromer.validation.result import Validation
from astromer.validation.rules import Rule

_WIDTH = 100


def to_table(
    validation: Validation, rules: Sequence[Rule], limits: LightCurveRules = LightCurveRules()
) -> str:
    """The headline, a row for each rule that is broken, then warnings.

    A row has the rule's severity, the objects of each split that break it, and the first of
    them. An object that breaks two rules counts in both rows, but once in the headline.

    Args:
        validation: what was found.
        rules: with their severities.
        limits: tell which splits count as unlike.
    """
    lines = [headline(validation)]
    counts = count_by_split(validation)
    firsts = first_by_rule(validation)
    broken = [rule for rule in rules if rule.name in firsts]
    if broken:
        wide = max(len(rule.name) for rule in broken)
        lines.append(f"  {'rule':{wide}}  severity {''.join(f'{s:>11}' for s in SPLITS)}  first")
    for rule in broken:
        numbers = "".join(f"{counts[rule.name, split]:11,}" for split in SPLITS)
        lines.append(
            f"  {rule.name:{wide}}  {rule.severity:9}{numbers}  {_first(firsts[rule.name])}"
        )
        lines.append(f"  {'':{wide}}  {shortened(firsts[rule.name].detail, _WIDTH - wide)}")
    lines += [f"warning: {text}" for text in warnings(validation, rules, limits)]
    return "\n".join(lines)


def warnings(
    validation: Validation, rules: Sequence[Rule], limits: LightCurveRules = LightCurveRules()
) -> list[str]:
    """What does not leave an object out, but should be known: broken rules, unlike splits."""
    counts = validation.findings.counts()
    found = [
        f"{counts[rule.name]:,} {rule.name}, kept: {rule.advice}."
        for rule in rules
        if rule.name in validation.warned and counts[rule.name]
    ]
    return found + [
        f"the {split} split is unlike the train split in {name}: Jensen-Shannon distance "
        f"{distance:.2f}."
        for split, name, distance in split_distances(validation)
        if distance > limits.max_split_distance
    ]


def split_distances(validation: Validation) -> Iterator[tuple[str, str, float]]:
    """Split, quantity and distance of every split's light curves to those of train."""
    train = validation.profiles.get("train")
    for split, profile in validation.profiles.items():
        if train is not None and split != "train":
            for name, distance in train.distance(profile).items():
                yield split, name, distance


def count_by_split(validation: Validation) -> Counter[tuple[str, str]]:
    """Number of objects by rule and split."""
    return Counter((finding.rule, finding.split) for finding in validation.findings)


def first_by_rule(validation: Validation) -> dict[str, Finding]:
    """The first finding of each rule."""
    firsts: dict[str, Finding] = {}
    for finding in validation.findings:
        firsts.setdefault(finding.rule, finding)
    return firsts


def _first(finding: Finding) -> str:
    path = PurePath(finding.file)
    name = shortened(finding.object_id, 40) or "without id"
    return f"{name} (record {finding.record} of {path.parent.name}/{path.name})"
