"""Whether a run may go on with the data that validation has seen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from astromer.system.errors import DataAnomalyError
from astromer.validation.config import ValidationConfig
from astromer.validation.findings import Finding
from astromer.validation.result import Validation
from astromer.validation.rules import STOP


def headline(validation: Validation) -> str:
    """For instance "12 of 4,031 objects rejected: 7 unsorted_mjd, 5 too_short".

    An object that several rules reject counts under the first of them.
    """
    counts = Counter(broken[0].rule for broken in rejected_by(validation).values())
    ordered = counts.most_common()
    listed = ", ".join(f"{count:,} {rule}" for rule, count in ordered)
    text = f"{validation.num_rejected:,} of {validation.num_curves:,} objects rejected"
    return f"{text}: {listed}" if listed else text


def refuse_if_bad(
    validation: Validation, config: ValidationConfig, report: Path | None, table: str = ""
) -> None:
    """Raises where the data should not be trained on.

    Args:
        validation: what was found.
        config: the limits.
        report: the folder in which the findings were written down, if they were.
        table: for the terminal.

    Raises:
        DataAnomalyError: a rule with severity "stop" is broken, more than
            ``config.max_rejected`` of all light curves are rejected, or all of a split are.
    """
    reasons = refusals(validation, config)
    if not reasons:
        return
    first = next(iter(validation.findings))
    place = f" All findings are in {report}." if report is not None else ""
    raise DataAnomalyError(
        f"{reasons[0]} {headline(validation)}. The first: {first}.{place} Mend the survey, or "
        "change a severity with --rule NAME=SEVERITY.",
        table,
    )


def refusals(validation: Validation, config: ValidationConfig) -> list[str]:
    """Why the data should not be trained on; empty where they may."""
    reasons = []
    stops = [rule for rule in validation.findings.counts() if getattr(config, rule) == STOP]
    if stops:
        reasons.append(f"light curves break {', '.join(stops)}, which stops the run.")
    for split, count in validation.curves.items():
        if not validation.accepted(split):
            reasons.append(f"all {count} light curves of the {split} split are rejected.")
    if validation.fraction_rejected > config.max_rejected:
        reasons.append(
            f"{validation.fraction_rejected:.1%} of the light curves are rejected, "
            f"more than --max-rejected {config.max_rejected:g}."
        )
    return reasons


def rejected_by(validation: Validation) -> dict[tuple[str, str, int], list[Finding]]:
    """The findings that reject an object, by split, file and record, in their order."""
    found: dict[tuple[str, str, int], list[Finding]] = {}
    for finding in validation.findings:
        if finding.rule not in validation.warned:
            found.setdefault((finding.split, finding.file, finding.record), []).append(finding)
    return found
