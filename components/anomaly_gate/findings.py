"""What in TFDV's anomalies is a reason to stop, and how to say it in a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tensorflow_metadata.proto.v0 import anomalies_pb2

from astromer.records.cleaning import interval
from astromer.records.config import LightCurveRules
from components.schema.light_curve_schema import SEQUENCE

_Type = anomalies_pb2.AnomalyInfo
_DRIFT = _Type.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH
_TOO_FEW = _Type.FEATURE_TYPE_LOW_NUMBER_VALUES
_ANOMALIES_FILE = "SchemaDiff.pb"
# "Unexpectedly high value: 5>1(upto six significant digits)"
_EXTREME = re.compile(r": ([^<>]+)[<>]")

MIN_CURVES_FOR_DRIFT = 100
"""Below, the distance between splits is mostly chance: over random splits of real surveys it
reached 0.38 with 10 curves, 0.16 with 20 and 0.05 with 100."""


@dataclass(frozen=True)
class Finding:
    """One reason to stop.

    Attributes:
        split: name of the split.
        series: the feature lists concerned, none for the split as a whole.
        reason: what is wrong with it.
    """

    split: str
    series: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"{self.split} {', '.join(self.series)}".rstrip() + f": {self.reason}"


def read_anomalies(file: Path) -> anomalies_pb2.Anomalies:
    """Reads what ExampleValidator or DistributionValidator wrote."""
    return anomalies_pb2.Anomalies.FromString(file.read_bytes())


def schema_findings(folder: Path, split: str, rules: LightCurveRules) -> list[Finding]:
    """Reasons to stop among ExampleValidator's anomalies of one split.

    Only the series count: the context (name, class, position, period, ...) is not trained
    on, differs from survey to survey, and may hold any column.
    """
    anomalies = read_anomalies(folder / f"Split-{split}" / _ANOMALIES_FILE)
    if anomalies.data_missing:
        return [Finding(split, (), "holds no light curves.")]
    series_by_reason: dict[str, list[str]] = {}
    for info in anomalies.anomaly_info.values():
        path = list(info.path.step)
        if path[:1] != [SEQUENCE]:
            continue
        series = ".".join(path[1:])
        for reason in info.reason:
            if reason.type != _Type.SCHEMA_NEW_COLUMN:
                said = _sentence(reason, series, rules)
                series_by_reason.setdefault(said, []).append(series)
    return [
        Finding(split, tuple(sorted(series)), reason)
        for reason, series in sorted(series_by_reason.items())
    ]


def drift_findings(folder: Path, split: str, baseline: str, curves: int) -> list[Finding]:
    """Reasons to stop among DistributionValidator's comparison of two splits.

    Args:
        folder: its output.
        split, baseline: the splits that were compared.
        curves: light curves in the smaller of the two.
    """
    if curves < MIN_CURVES_FOR_DRIFT:
        return []
    anomalies = read_anomalies(folder / f"SplitPair-{split}_{baseline}" / _ANOMALIES_FILE)
    return [
        Finding(split, (".".join(info.path.step[1:]),), _distance(anomalies, info, baseline))
        for info in anomalies.anomaly_info.values()
        if any(reason.type == _DRIFT for reason in info.reason)
    ]


def _distance(
    anomalies: anomalies_pb2.Anomalies, info: anomalies_pb2.AnomalyInfo, baseline: str
) -> str:
    for measured in _measurements(anomalies, list(info.path.step)):
        return (
            f"is distributed unlike {baseline} (Jensen-Shannon distance {measured.value:.2f}, "
            f"limit {measured.threshold:.2f})."
        )
    return f"is distributed unlike {baseline}."


def _measurements(
    anomalies: anomalies_pb2.Anomalies, path: list[str]
) -> Iterator[anomalies_pb2.DriftSkewInfo.Measurement]:
    for info in anomalies.drift_skew_info:
        if list(info.path.step) == path:
            yield from info.drift_measurements


def _sentence(reason: anomalies_pb2.AnomalyInfo.Reason, series: str, rules: LightCurveRules) -> str:
    if reason.type == _TOO_FEW:
        return f"fewer than {rules.min_observations} observations."
    extreme = _EXTREME.search(reason.description)
    if extreme and reason.type in (_Type.FLOAT_TYPE_BIG_FLOAT, _Type.FLOAT_TYPE_SMALL_FLOAT):
        return f"must be in {interval(series, rules)}, received {extreme[1]}."
    return reason.description.strip().rstrip(".") + "."
