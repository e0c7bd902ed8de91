"""TFX components around :mod:`astromer`: they pass artifacts on, the science is in that package.

The types of artifacts are defined here because Kubeflow imports them by their type names, which
may hold one dot only.
"""

from tfx.types import artifact


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
