"""Stars that are tested on in more than one fold."""

from __future__ import annotations

from collections.abc import Mapping

from astromer.records.fold import Fold
from astromer.records.reader import iterate_batches
from astromer.records.star import star_name
from astromer.validation.findings import Finding, Findings

RULE = "shared_test_star"


def shared_test_stars(folds: Mapping[str, Fold]) -> Findings:
    """Light curves of the test splits whose star is in an earlier fold's test split, too.

    Args:
        folds: by a name that tells them apart.

    Returns:
        A finding for each, in the order of the folds; stars without name are left out.
    """
    findings = Findings()
    first: dict[str, str] = {}
    for name, fold in folds.items():
        for batch in iterate_batches(fold.files["test"], strict=False):
            for row, context in enumerate(batch.contexts()):
                if not context.id:
                    continue
                star = star_name(context.id, context.band)
                if first.setdefault(star, name) == name:
                    continue
                record = batch.first_record + row
                detail = f"is in the test split of {first[star]} too"
                findings.append(Finding(RULE, "test", str(batch.file), record, context.id, detail))
    return findings
