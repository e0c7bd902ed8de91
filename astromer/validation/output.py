"""What a validation leaves behind in a folder."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

from astromer.records.config import LightCurveRules
from astromer.system.config import to_dict
from astromer.system.extras import MissingExtraError
from astromer.system.files import replace_folder
from astromer.system.text import csv_cell
from astromer.validation.config import ValidationConfig
from astromer.validation.findings import Findings
from astromer.validation.outcome import headline, rejected_by
from astromer.validation.report import REPORT_FILE, write_report
from astromer.validation.result import Validation
from astromer.validation.rules import all_rules
from astromer.validation.table import to_table

FINDINGS_FILE = "findings.parquet"
SHARED_FILE = "shared_test_stars.parquet"
REJECTED_FILE = "rejected.csv"
SUMMARY_FILE = "summary.json"
TABLE_FILE = "table.txt"


def write_validation(
    validation: Validation, config: ValidationConfig, limits: LightCurveRules, folder: Path
) -> str:
    """Replaces a folder by the findings, the list of rejected objects, numbers and a report.

    ``findings.parquet`` has a row for each object and rule that it breaks, ``rejected.csv``
    one for each object that is left out, ``summary.json`` the numbers, the rules and the
    profiles of the splits, ``table.txt`` the table for the terminal, ``report.html`` plots.

    Returns:
        The table for the terminal.
    """
    table = terminal_table(validation, config, limits)
    with replace_folder(folder) as partial:
        write_into(validation, config, limits, partial, table)
    return table


def write_into(
    validation: Validation,
    config: ValidationConfig,
    limits: LightCurveRules,
    folder: Path,
    table: str,
) -> None:
    """Writes the files of :func:`write_validation` into a folder that is there already."""
    write_findings(validation.findings, folder / FINDINGS_FILE)
    _write_rejected(validation, folder / REJECTED_FILE)
    summary = {
        "headline": headline(validation),
        **validation.to_dict(),
        "max_rejected": config.max_rejected,
        "rules": {rule.name: to_dict(rule) for rule in all_rules(config, limits)},
    }
    (folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    (folder / TABLE_FILE).write_text(table + "\n", encoding="utf-8")
    try:
        write_report(validation, folder, config, limits)
    except MissingExtraError as error:
        print(f"no {REPORT_FILE} was made: {error}", file=sys.stderr)


def write_findings(findings: Findings, path: Path) -> None:
    """Writes findings as Parquet, a row for each."""
    with path.open("wb") as file:
        pq.write_table(findings.to_table(), file)


def terminal_table(
    validation: Validation, config: ValidationConfig, limits: LightCurveRules
) -> str:
    """What was found, in lines for a terminal."""
    return to_table(validation, all_rules(config, limits), limits)


def _write_rejected(validation: Validation, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("split", "object_id", "file", "record", "rules"))
        for (split, name, record), broken in rejected_by(validation).items():
            rules = " ".join(finding.rule for finding in broken)
            object_id = csv_cell(broken[0].object_id)
            writer.writerow((split, object_id, csv_cell(name), record, rules))
