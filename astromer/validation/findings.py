"""The result of a validation: which object breaks which rule, and whether the data are usable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from astromer.light_curves import LightCurve
from astromer.records.config import LightCurveRules
from astromer.system.errors import DataAnomalyError
from astromer.system.text import shortened
from astromer.validation.config import STOP, WARN, Rule, ValidationConfig, all_rules
from astromer.validation.profile import SplitProfile, profile_distances

EXAMPLES_PER_RULE = 3


class Finding(NamedTuple):
    """One object that breaks one rule.

    Attributes:
        rule: name of the rule.
        split: "train", "validation" or "test".
        file: the record file.
        record: index of the record in the file, counted from 0.
        object_id: the object's name; "" where the record has none.
        detail: what was received, for instance "mjd[17] = 53001.2 is not after 53002.9".
    """

    rule: str
    split: str
    file: str
    record: int
    object_id: str
    detail: str

    def __str__(self) -> str:
        name = f"object {shortened(self.object_id)}" if self.object_id else "an object without id"
        return f"{name} (record {self.record} of {self.file}, {self.split}): {self.detail}"


_TEXT = pa.dictionary(pa.int32(), pa.string())
_SCHEMA = pa.schema(
    [
        ("rule", _TEXT),
        ("split", _TEXT),
        ("file", _TEXT),
        ("record", pa.int64()),
        ("object_id", pa.string()),
        ("detail", pa.string()),
    ]
)


class Findings:
    """Many findings in columns: a fifth of the memory that as many objects would take."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self._columns: tuple[list, ...] = tuple([] for _ in Finding._fields)
        for finding in findings:
            self.append(finding)

    def append(self, finding: Finding) -> None:
        for column, value in zip(self._columns, finding):
            column.append(value)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[Finding]:
        return map(Finding._make, zip(*self._columns))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Findings) and self._columns == other._columns

    def __getitem__(self, index: int) -> Finding:
        return Finding._make(column[index] for column in self._columns)

    def counts(self) -> Counter[str]:
        """Number of objects by rule; an object that breaks two rules counts in both."""
        return Counter(self._columns[0])

    def counts_by_split(self) -> Counter[tuple[str, str]]:
        """Number of objects by rule and split."""
        return Counter(zip(*self._columns[:2]))

    def to_arrow(self) -> pa.Table:
        """Columns ``rule, split, file, record, object_id, detail``, a row for each finding."""
        arrays = [
            pa.array(column, field.type.value_type).dictionary_encode()
            if pa.types.is_dictionary(field.type)
            else pa.array(column, field.type)
            for column, field in zip(self._columns, _SCHEMA)
        ]
        return pa.Table.from_arrays(arrays, schema=_SCHEMA)


@dataclass(frozen=True)
class Validation:
    """What was checked, what was found, and what is left out.

    Attributes:
        curves: number of checked light curves by split.
        findings: every object that breaks a rule, in the order of splits, files and records.
        rejected: positions in the split's order of what is left out, int64 rising, by split.
        profiles: of the accepted light curves, by split.
        examples: the first few findings of each rule, with the light curve. Where its
            series are unequally long, the longer ones are cut.
        config, limits: the rules.
    """

    curves: Mapping[str, int]
    findings: Findings
    rejected: Mapping[str, np.ndarray]
    profiles: Mapping[str, SplitProfile]
    examples: tuple[tuple[Finding, LightCurve], ...]
    config: ValidationConfig
    limits: LightCurveRules

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, with its severity and threshold."""
        return all_rules(self.config, self.limits)

    @property
    def num_curves(self) -> int:
        """Checked light curves, in all splits together."""
        return sum(self.curves.values())

    @property
    def num_rejected(self) -> int:
        """Light curves left out, in all splits together."""
        return sum(len(positions) for positions in self.rejected.values())

    @property
    def fraction_rejected(self) -> float:
        return self.num_rejected / self.num_curves if self.num_curves else 0.0

    def accepted(self, split: str) -> int:
        """Number of light curves of a split that are kept."""
        return self.curves[split] - len(self.rejected[split])

    def rejected_objects(self) -> dict[tuple[str, str, int], list[Finding]]:
        """The findings that reject an object, by split, file and record, in their order."""
        found: dict[tuple[str, str, int], list[Finding]] = {}
        for finding in self.findings:
            if getattr(self.config, finding.rule) != WARN:
                found.setdefault((finding.split, finding.file, finding.record), []).append(finding)
        return found

    def headline(self) -> str:
        """For instance "12 of 4,031 objects rejected: 7 unsorted_mjd, 5 too_short".

        An object that several rules reject counts under the first of them.
        """
        counts = Counter(broken[0].rule for broken in self.rejected_objects().values())
        listed = ", ".join(f"{count:,} {rule}" for rule, count in counts.most_common())
        text = f"{self.num_rejected:,} of {self.num_curves:,} objects rejected"
        return f"{text}: {listed}" if listed else text

    def split_distances(self) -> Iterator[tuple[str, str, float]]:
        """Split, quantity and distance of every split's light curves to those of train."""
        train = self.profiles.get("train")
        for split, profile in self.profiles.items():
            if train is not None and split != "train":
                for name, distance in profile_distances(train, profile).items():
                    yield split, name, distance

    def warnings(self) -> list[str]:
        """Broken rules that leave no object out, and splits that differ from train."""
        counts = self.findings.counts()
        found = [
            f"{counts[rule.name]:,} {rule.name}, kept: {rule.advice}."
            for rule in self.rules
            if rule.severity == WARN and counts[rule.name]
        ]
        return found + [
            f"the {split} split is unlike the train split in {name}: Jensen-Shannon distance "
            f"{distance:.2f}."
            for split, name, distance in self.split_distances()
            if distance > self.limits.max_split_distance
        ]

    def reasons_to_stop(self) -> list[str]:
        """Why the data should not be trained on; empty where they may."""
        reasons = []
        stops = [rule for rule in self.findings.counts() if getattr(self.config, rule) == STOP]
        if stops:
            reasons.append(f"light curves break {', '.join(stops)}, which stops the run.")
        for split, count in self.curves.items():
            if not self.accepted(split):
                reasons.append(f"all {count} light curves of the {split} split are rejected.")
        if self.fraction_rejected > self.config.max_rejected:
            reasons.append(
                f"{self.fraction_rejected:.1%} of the light curves are rejected, "
                f"more than --max-rejected {self.config.max_rejected:g}."
            )
        return reasons

    def require_usable(self, report: Path | None, table: str = "") -> None:
        """Raises where the data should not be trained on.

        Args:
            report: the folder in which the findings were written down, if they were.
            table: for the terminal.

        Raises:
            DataAnomalyError: a rule with severity "stop" is broken, more than
                ``max_rejected`` of all light curves are rejected, or all of a split are.
        """
        reasons = self.reasons_to_stop()
        if not reasons:
            return
        listed = f" All findings are in {report}." if report is not None else ""
        raise DataAnomalyError(
            f"{reasons[0]} {self.headline()}. The first: {self.findings[0]}.{listed} Correct the "
            "survey, or change a severity with --rule NAME=SEVERITY.",
            table,
        )

    def to_dict(self) -> dict[str, Any]:
        """Numbers as plain JSON types; the findings themselves are a table of their own."""
        return {
            "curves": dict(self.curves),
            "rejected": {split: len(positions) for split, positions in self.rejected.items()},
            "findings": dict(self.findings.counts()),
            "profiles": {split: profile.to_dict() for split, profile in self.profiles.items()},
        }
