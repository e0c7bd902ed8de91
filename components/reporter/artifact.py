"""The artifact that holds the page about a run."""

from tfx.types import artifact


class RunReport(artifact.Artifact):
    """Files of :func:`astromer.reports.run_report.write_run_report`.

    ``index.html``, ``plots/*.png`` and, where there is one, ``validation.html``. Custom
    properties: ``name`` of its folder among the user's reports, and ``problems``: what could not
    be drawn; where there is no ``index.html``, why.
    """

    TYPE_NAME = "components.RunReport"
