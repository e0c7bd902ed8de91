"""Stars that are tested on in more than one fold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from astromer.records.fold import SPLITS, Fold
from astromer.records.reader import iterate_batches
from astromer.system.text import shortened
from astromer.validation.findings import Finding, Findings
from astromer.validation.identity import identify

RULE = "shared_test_star"
_TEST = SPLITS.index("test")


def shared_test_stars(folds: Mapping[str, Fold]) -> Findings:
    """Light curves of the test splits that an earlier fold's test split has, too.

    A star is known by its name, and a copy under another name by its observations.

    Args:
        folds: by a name that tells them apart.

    Returns:
        A finding for each, in the order of the folds.
    """
    findings = Findings()
    stars: dict[bytes, str] = {}
    curves: dict[bytes, tuple[str, str]] = {}
    for name, fold in folds.items():
        for batch in iterate_batches(fold.files["test"], strict=False):
            identities = identify(batch, np.ones(len(batch), bool), _TEST, 0)
            rows = zip(identities.star, identities.curve, identities.object_id, strict=True)
            for row, (star, curve, object_id) in enumerate(rows):
                detail = ""
                if star.any() and stars.setdefault(star.tobytes(), name) != name:
                    detail = f"is in the test split of {stars[star.tobytes()]} too"
                if curve.any():
                    where, twin = curves.setdefault(curve.tobytes(), (name, object_id))
                    if where != name and not detail:
                        other = shortened(twin) or "an object without id"
                        detail = f"has the observations of {other} in the test split of {where}"
                if detail:
                    record = batch.first_record + row
                    where = str(batch.file)
                    findings.append(Finding(RULE, "test", where, record, object_id, detail))
    return findings
