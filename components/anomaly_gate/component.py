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
from astromer.records.offenders import offending_objects
from components.anomaly_gate.findings import Finding, drift_findings, schema_findings
from pipeline_config import LightCurveRules

BASELINE_SPLIT = "train"
_MOST_FINDINGS = 3


@component
def AnomalyGate(
    examples: InputArtifact[standard_artifacts.Examples],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    drift: InputArtifact[standard_artifacts.ExampleAnomalies],
    rules: Parameter[str],
) -> OutputDict(findings=str):  # type: ignore[valid-type]
    """Raises on anomalies that matter, else returns an empty list of findings.

    Args:
        examples: searched for the objects behind an anomaly.
        statistics: tells how many light curves each split has.
        anomalies: of ExampleValidator.
        drift: of DistributionValidator, every split against the training split.
        rules: JSON of a ``LightCurveRules``.

    Returns:
        findings: JSON list, empty.

    Raises:
        DataAnomalyError: naming split, feature, reason and up to three objects each.
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
        raise DataAnomalyError(_message(findings, examples, limits))
    return {"findings": json.dumps([])}


def _num_curves(statistics: standard_artifacts.ExampleStatistics, split: str) -> int:
    view = stats_artifact_utils.load_statistics(statistics, split)
    return sum(dataset.num_examples for dataset in view.proto().datasets)


def _message(
    findings: list[Finding], examples: standard_artifacts.Examples, limits: LightCurveRules
) -> str:
    said = [f"{f}{_objects(f, examples, limits)}" for f in findings[:_MOST_FINDINGS]]
    rest = len(findings) - _MOST_FINDINGS
    more = f" And {rest} more." if rest > 0 else ""
    return (
        f"the light curves break the schema. {' '.join(said)}{more} Mend the records; the "
        "limits and their reasons are LightCurveRules in pipeline_config.py."
    )


def _objects(
    finding: Finding, examples: standard_artifacts.Examples, limits: LightCurveRules
) -> str:
    if not finding.about:
        return ""
    folder = Path(artifact_utils.get_split_uri([examples], finding.split))
    files = [str(file) for file in sorted(folder.iterdir())]
    series = finding.series if finding.about == "values" else ()
    names, total = offending_objects(files, series, limits)
    if not names:
        return ""
    rest = f" and {total - len(names)} more" if total > len(names) else ""
    return f" In object{'s' if total > 1 else ''} {', '.join(names)}{rest}."
