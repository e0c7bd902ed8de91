"""The component that stops a run before training when the data break the schema."""

import json
from pathlib import Path

from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputDict,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts

from astromer.errors import DataAnomalyError
from components.anomaly_gate.findings import Finding, drift_findings, schema_findings
from pipeline_config import LightCurveRules

BASELINE_SPLIT = "train"
_MOST_FINDINGS = 3


@component
def AnomalyGate(
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    drift: InputArtifact[standard_artifacts.ExampleAnomalies],
    rules: Parameter[str],
) -> OutputDict(findings=str):  # type: ignore[valid-type]
    """Raises on anomalies that matter, else returns an empty list of findings.

    Args:
        statistics: tells how many light curves each split has.
        anomalies: of ExampleValidator.
        drift: of DistributionValidator, every split against the training split.
        rules: JSON of a ``LightCurveRules``.

    Returns:
        findings: JSON list, empty.

    Raises:
        DataAnomalyError: naming split, feature and reason.
    """
    limits = LightCurveRules(**json.loads(rules))
    splits = artifact_utils.decode_split_names(anomalies.split_names)
    curves = {split: _num_curves(statistics, split) for split in splits}
    findings = []
    for split in splits:
        findings += schema_findings(Path(anomalies.uri), split, limits)
        if split != BASELINE_SPLIT:
            smaller = min(curves[split], curves[BASELINE_SPLIT])
            findings += drift_findings(Path(drift.uri), split, BASELINE_SPLIT, smaller)
    if findings:
        raise DataAnomalyError(_message(findings))
    return {"findings": json.dumps([])}


def _num_curves(statistics: standard_artifacts.ExampleStatistics, split: str) -> int:
    view = stats_artifact_utils.load_statistics(statistics, split)
    return sum(dataset.num_examples for dataset in view.proto().datasets)


def _message(findings: list[Finding]) -> str:
    said = [str(finding) for finding in findings[:_MOST_FINDINGS]]
    rest = len(findings) - _MOST_FINDINGS
    more = f" And {rest} more." if rest > 0 else ""
    return (
        f"the light curves break the schema. {' '.join(said)}{more} Mend the records; the "
        "limits and their reasons are LightCurveRules in pipeline_config.py."
    )
