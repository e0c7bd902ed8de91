"""The component that stops a run before training when the data break the schema."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputDict,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils

from astromer.records.cleaning import interval
from astromer.records.config import LightCurveRules
from astromer.serving.saved_model import read_config
from astromer.system.errors import DataAnomalyError, ModelError
from astromer.system.storage import as_path
from astromer.validation.config import OFF, STOP
from astromer.validation.profile import TRAIN_PROFILE, data_drift, read_train_profile
from components.schema.component import SEQUENCE

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
class SplitAnomaly:
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


def schema_findings(folder: Path, split: str, rules: LightCurveRules) -> list[SplitAnomaly]:
    """Reasons to stop among ExampleValidator's anomalies of one split.

    Only the series count: the context (name, class, position, period, ...) is not trained
    on, differs from survey to survey, and may hold any column.
    """
    anomalies = read_anomalies(folder / f"Split-{split}" / _ANOMALIES_FILE)
    if anomalies.data_missing:
        return [SplitAnomaly(split, (), "holds no light curves.")]
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
        SplitAnomaly(split, tuple(sorted(series)), reason)
        for reason, series in sorted(series_by_reason.items())
    ]


def drift_findings(folder: Path, split: str, baseline: str, curves: int) -> list[SplitAnomaly]:
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
        SplitAnomaly(split, (".".join(info.path.step[1:]),), _distance(anomalies, info, baseline))
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


BASELINE_SPLIT = "train"
_MOST_FINDINGS = 3


@component
def AnomalyGate(
    examples: InputArtifact[standard_artifacts.Examples],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    drift: InputArtifact[standard_artifacts.ExampleAnomalies],
    rules: Parameter[str],
    data_drift_severity: Parameter[str],
    pushed_model: InputArtifact[standard_artifacts.Model] = None,
) -> OutputDict(findings=str):  # type: ignore[valid-type]
    """Raises on anomalies that matter, else returns those that are only worth a warning.

    Args:
        examples: what will be trained on, with the profiles that the validator writes.
        statistics: of each split, with its number of light curves.
        anomalies: of ExampleValidator.
        drift: of DistributionValidator, every split against the training split.
        rules: JSON of a ``LightCurveRules``.
        data_drift_severity: "stop", "warn" or "off": what becomes of data unlike those of the
            pushed model.
        pushed_model: the last blessed model that was trained on other data.

    Returns:
        findings: JSON list of warnings.

    Raises:
        DataAnomalyError: naming split, feature and reason.
    """
    limits = LightCurveRules(**json.loads(rules))
    splits = artifact_utils.decode_split_names(anomalies.split_names)
    curves = {split: _num_curves(statistics, split) for split in splits}
    findings = []
    for split in splits:
        findings += schema_findings(as_path(anomalies.uri), split, limits)
        if split != BASELINE_SPLIT:
            smaller = min(curves[split], curves[BASELINE_SPLIT])
            findings += drift_findings(as_path(drift.uri), split, BASELINE_SPLIT, smaller)
    warnings: list[str] = []
    if pushed_model is not None and data_drift_severity != OFF:
        directory = as_path(path_utils.serving_model_path(pushed_model.uri))
        profile = read_train_profile(as_path(examples.uri))
        warnings = data_drift(profile, pushed_profile(directory), limits.max_split_distance)
        if data_drift_severity == STOP:
            findings += [SplitAnomaly(BASELINE_SPLIT, (), text) for text in warnings]
    if findings:
        raise DataAnomalyError(_message(findings))
    return {"findings": json.dumps(warnings)}


def pushed_profile(model: Path) -> Mapping[str, Any] | None:
    """The profile of a model's training data; None where the model has none."""
    try:
        return read_config(model).get("metadata", {}).get(TRAIN_PROFILE)
    except ModelError:
        return None


def _num_curves(statistics: standard_artifacts.ExampleStatistics, split: str) -> int:
    view = stats_artifact_utils.load_statistics(statistics, split)
    return sum(dataset.num_examples for dataset in view.proto().datasets)


def _message(findings: list[SplitAnomaly]) -> str:
    said = [str(finding) for finding in findings[:_MOST_FINDINGS]]
    rest = len(findings) - _MOST_FINDINGS
    more = f" And {rest} more." if rest > 0 else ""
    return (
        f"the light curves break the schema. {' '.join(said)}{more} Correct the records; the "
        "limits and their reasons are LightCurveRules in astromer/records/config.py."
    )
