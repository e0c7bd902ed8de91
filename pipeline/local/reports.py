"""The run report where users look for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from astromer.reports.run_report import PAGE_FILE, publish_report, published_page
from astromer.system.storage import as_path
from components.reporter.executor import NAME, PROBLEMS
from pipeline.local.dag_runner import Step
from pipeline.pipeline import REPORTER, reports_folder


def shelve_report(step: Step, output: Path) -> None:
    """Puts a report from the cache where the Reporter puts a new one.

    It may have been deleted there, and ``latest`` is that of the last run.

    Args:
        step: any component's part in the run; others than the Reporter are passed over.
        output: the run's output folder.
    """
    if step.name != REPORTER or not step.cached:
        return
    [report] = step.outputs["report"]
    if (as_path(report.uri) / PAGE_FILE).exists():
        name = report.get_string_custom_property(NAME)
        publish_report(as_path(report.uri), reports_folder(output), name)


def find_report(steps: Mapping[str, Step], output: Path) -> tuple[Path | None, str]:
    """The page, if one was made, and what could not be drawn."""
    if REPORTER not in steps:
        return None, ""
    [report] = steps[REPORTER].outputs["report"]
    page = None
    if (as_path(report.uri) / PAGE_FILE).exists():
        page = published_page(reports_folder(output), report.get_string_custom_property(NAME))
    return page, report.get_string_custom_property(PROBLEMS)
