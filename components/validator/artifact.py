"""The artifact that holds what validation found."""

from tfx.types import artifact


class LightCurveAnomalies(artifact.Artifact):
    """Files of :func:`astromer.validation.output.write_validation`.

    ``findings.parquet``, ``rejected.csv``, ``summary.json``, ``table.txt`` and, where the
    libraries for it are installed, ``report.html``.
    """

    TYPE_NAME = "components.LightCurveAnomalies"
