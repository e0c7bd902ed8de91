"""How results of a run reach its user: copied to the output folder, and printed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from astromer.reports.run_report import PAGE_FILE, publish_report, published_page
from astromer.system.atomic import replace_folder
from astromer.system.storage import as_path, copy_tree
from astromer.validation.output import TABLE_FILE
from components.reporter.executor import NAME, PROBLEMS
from pipeline.beam_options import VALIDATOR
from pipeline.local.console import Step
from pipeline.pipeline import (
    FINETUNER,
    GATE,
    REPORTER,
    REPORTS_FOLDER,
    RESULTS_FOLDER,
    VALIDATION_FOLDER,
)

_PUBLISHED = {
    VALIDATOR: ("anomalies", VALIDATION_FOLDER),
    FINETUNER: ("results", RESULTS_FOLDER),
    REPORTER: ("report", REPORTS_FOLDER),
}
"""By component: which output users read, and the folder that shows that of the last run."""


def publish_outputs(step: Step, output: Path) -> None:
    """Copies what users read of a component's results to where they look for it.

    Results from the cache are copied, too: the folders show the data and the model of the last
    run, and what was deleted there comes back.

    Args:
        step: any component's part in the run.
        output: folder that holds the folders for users.
    """
    if step.name not in _PUBLISHED:
        return
    key, name = _PUBLISHED[step.name]
    [artifact] = step.outputs[key]
    source = as_path(artifact.uri)
    if step.name != REPORTER:
        with replace_folder(output / name) as partial:
            copy_tree(source, partial)
    elif (source / PAGE_FILE).exists():
        publish_report(source, output / name, artifact.get_string_custom_property(NAME))


def messages(step: Step) -> Iterator[str]:
    """What is printed of a component's results: the validator's table, the gate's warnings."""
    if step.name == GATE:
        findings = as_path(step.outputs["findings"][0].uri).read_text(encoding="utf-8")
        yield from (f"warning: {warning}" for warning in json.loads(findings))
    if step.name == VALIDATOR:
        anomalies = as_path(step.outputs["anomalies"][0].uri)
        yield (anomalies / TABLE_FILE).read_text(encoding="utf-8").rstrip()


def find_report(steps: Mapping[str, Step], output: Path) -> tuple[Path | None, str]:
    """The published page about the run, if one was made, and what could not be drawn."""
    if REPORTER not in steps:
        return None, ""
    [report] = steps[REPORTER].outputs["report"]
    page = None
    if (as_path(report.uri) / PAGE_FILE).exists():
        page = published_page(output / REPORTS_FOLDER, report.get_string_custom_property(NAME))
    return page, report.get_string_custom_property(PROBLEMS)
