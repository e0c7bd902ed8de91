"""Writes a validation into a folder, and its table for the terminal."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path, PurePath

import pyarrow.parquet as pq

from astromer.records.fold import SPLITS
from astromer.system.atomic import replace_folder
from astromer.system.config import to_dict
from astromer.system.environment import MissingExtraError
from astromer.system.text import csv_cell, shortened
from astromer.validation.findings import Finding, Findings, Validation
from astromer.validation.findings_page import FINDINGS_PAGE, write_findings_page

FINDINGS_FILE = "findings.parquet"
SHARED_FILE = "shared_test_stars.parquet"
REJECTED_FILE = "rejected.csv"
SUMMARY_FILE = "summary.json"
TABLE_FILE = "table.txt"
_WIDTH = 100


def write_validation(validation: Validation, folder: Path) -> None:
    """Replaces a folder by the findings, the list of rejected objects, numbers and a report.

    ``findings.parquet`` has a row for each object and rule that it breaks, ``rejected.csv``
    one for each object that is left out, ``summary.json`` the numbers, the rules and the
    profiles of the splits, ``table.txt`` the table for the terminal, ``report.html`` plots.
    """
    with replace_folder(folder) as partial:
        write_validation_files(validation, partial)


def write_validation_files(validation: Validation, folder: Path) -> None:
    """Writes the files of :func:`write_validation` into a folder that exists."""
    write_findings(validation.findings, folder / FINDINGS_FILE)
    _write_rejected(validation, folder / REJECTED_FILE)
    summary = {
        "headline": validation.headline(),
        **validation.to_dict(),
        "max_rejected": validation.config.max_rejected,
        "rules": {rule.name: to_dict(rule) for rule in validation.rules},
    }
    (folder / SUMMARY_FILE).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    (folder / TABLE_FILE).write_text(f"{terminal_table(validation)}\n", encoding="utf-8")
    try:
        write_findings_page(validation, folder)
    except MissingExtraError as error:
        print(f"no {FINDINGS_PAGE} was made: {error}", file=sys.stderr)


def write_findings(findings: Findings, path: Path) -> None:
    """Writes findings as Parquet, a row for each."""
    with path.open("wb") as file:
        pq.write_table(findings.to_arrow(), file)


def _write_rejected(validation: Validation, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("split", "object_id", "file", "record", "rules"))
        for (split, name, record), broken in validation.rejected_objects().items():
            rules = " ".join(finding.rule for finding in broken)
            object_id = csv_cell(broken[0].object_id)
            writer.writerow((split, object_id, csv_cell(name), record, rules))


def terminal_table(validation: Validation) -> str:
    """The headline, a row for each rule that is broken, then warnings.

    A row has the rule's severity, the objects of each split that break it, and the first of
    them. An object that breaks two rules counts in both rows, but once in the headline.
    """
    lines = [validation.headline()]
    counts = validation.findings.counts_by_split()
    firsts: dict[str, Finding] = {}
    for finding in validation.findings:
        firsts.setdefault(finding.rule, finding)
    broken = [rule for rule in validation.rules if rule.name in firsts]
    wide = max((len(rule.name) for rule in broken), default=0)
    if broken:
        lines.append(f"  {'rule':{wide}}  severity {''.join(f'{s:>11}' for s in SPLITS)}  first")
    for rule in broken:
        numbers = "".join(f"{counts[rule.name, split]:11,}" for split in SPLITS)
        first = firsts[rule.name]
        path = PurePath(first.file)
        name = shortened(first.object_id, 40) or "without id"
        lines += [
            f"  {rule.name:{wide}}  {rule.severity:9}{numbers}  {name} "
            f"(record {first.record} of {path.parent.name}/{path.name})",
            f"  {'':{wide}}  {shortened(first.detail, _WIDTH - wide)}",
        ]
    lines += [f"warning: {text}" for text in validation.warnings()]
    return "\n".join(lines)
