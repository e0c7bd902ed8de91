"""TFX components around :mod:`astromer`: they pass artifacts on, the science is in that package.

The types of artifacts are defined here because Kubeflow imports them by their type names, which
may hold one dot only.
"""

from pathlib import Path

from tfx.types import artifact, artifact_utils

from astromer.system.storage import as_path


class LightCurveAnomalies(artifact.Artifact):
    """What the validation found, as :func:`astromer.validation.output.write_validation` writes it.

    ``findings.parquet``, ``rejected.csv``, ``summary.json``, ``table.txt`` and, where the
    libraries for it are installed, ``report.html``.
    """

    TYPE_NAME = "components.LightCurveAnomalies"


class RunReport(artifact.Artifact):
    """The page about a run, as :func:`astromer.reports.run_report.write_run_report` writes it.

    ``index.html``, ``plots/*.png`` and, where there is one, ``validation.html``. Custom
    properties: ``name`` of its folder among the user's reports, and ``problems``: what could not
    be drawn; where there is no ``index.html``, why.
    """

    TYPE_NAME = "components.RunReport"


def split_files(examples: artifact.Artifact, split: str) -> list[Path]:
    """The record files of a split of Examples, in their order."""
    return sorted(as_path(artifact_utils.get_split_uri([examples], split)).iterdir())
