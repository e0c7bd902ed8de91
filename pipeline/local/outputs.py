"""Shows what the checks of the data rejected or warn of, in every run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from astromer.reports.run_report import PAGE_FILE, publish_report, published_page
from astromer.system.atomic import replace_folder
from astromer.system.storage import as_path
from astromer.system.storage.trees import copy_tree
from astromer.validation.output import TABLE_FILE
from components.reporter.executor import NAME, PROBLEMS
from pipeline.beam_options import VALIDATOR
from pipeline.local.dag_runner import Step
from pipeline.pipeline import GATE, REPORTER, reports_folder, validation_folder


def tell_rejections(step: Step, output: Path, say: Callable[[str], None]) -> None:
    """Prints the validator's table and the gate's warnings.

    The validator's findings are copied to where users look.

    They are copied from cached results, too: the folder shows the data of the last run.

    Args:
        step: any component's part in the run; others than these two are passed over.
        output: the run's output folder.
        say: prints.
    """
    if step.name == GATE:
        findings = step.outputs["findings"][0]
        for warning in json.loads(as_path(findings.uri).read_text(encoding="utf-8")):
            say(f"warning: {warning}")
    if step.name != VALIDATOR:
        return
    anomalies = as_path(step.outputs["anomalies"][0].uri)
    folder = validation_folder(output)
    with replace_folder(folder) as partial:
        copy_tree(anomalies, partial)
    say((anomalies / TABLE_FILE).read_text(encoding="utf-8").rstrip())


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
