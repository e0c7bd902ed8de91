"""Where users look for reports: a folder for each, and the latest under a name that stays."""

from __future__ import annotations

from pathlib import Path

from astromer.reports.page import PAGE_FILE
from astromer.system.atomic import replace_folder
from astromer.system.storage.trees import copy_tree

LATEST = "latest"
_MOST = 100


def put_on_shelf(report: Path, shelf: Path, name: str) -> Path:
    """Copies a report to ``shelf/<name>/`` and to ``shelf/latest/``, each whole or not at all.

    Args:
        report: folder of :func:`~astromer.reports.page.write_run_report`.
        shelf: the folder of reports; made if missing.
        name: of this one; what no file name takes is replaced.

    Returns:
        The page in its folder.
    """
    page = shelved(shelf, name)
    for target in (page.parent, shelf / LATEST):
        with replace_folder(target) as partial:
            copy_tree(report, partial)
    return page


def shelved(shelf: Path, name: str) -> Path:
    """The page that :func:`put_on_shelf` makes."""
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".")[:_MOST]
    return shelf / (kept or "report") / PAGE_FILE
