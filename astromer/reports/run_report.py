"""Writes the report of a run: one HTML page, its plots, and copies where users find them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.reports.config import ReportConfig
from astromer.reports.encoder_plots import draw_attention, draw_map, mean_embeddings
from astromer.reports.lineage import Drawing, lay_out
from astromer.reports.plot import SHORT_TITLES, TITLES, Plot, ReportParts
from astromer.reports.reconstructed_windows import (
    WindowReconstruction,
    draw_windows,
    reconstruct,
    sample_curves,
    sample_windows,
)
from astromer.reports.run import (
    Run,
    hyperparameters,
    machine_facts,
    machine_rows,
    summarise_data,
    training_facts,
)
from astromer.reports.scores import (
    GroupScores,
    HiddenSteps,
    TrainingHistory,
    draw_learning_curves,
    draw_skill,
    read_training_history,
)
from astromer.system.atomic import replace_folder
from astromer.system.environment import describe_machine, require
from astromer.system.html.page import write_page
from astromer.system.storage import copy_tree
from astromer.system.text import duration
from astromer.validation.output import FINDINGS_PAGE

PAGE_FILE = "index.html"
PLOTS_FOLDER = "plots"
VALIDATION_PAGE = "validation.html"
LATEST_REPORT = "latest"
_LONGEST_NAME = 100
_GROUPS = {
    "length": "observations of the light curve",
    "gap": "days to the nearest visible step",
    "class": "class",
}


class _SkillTable(NamedTuple):
    """Scores of groups of hidden steps, and their plots."""

    by: str
    rows: Sequence[GroupScores]
    plots: list[Plot]


def write_run_report(run: Run, folder: Path, config: ReportConfig = ReportConfig()) -> list[str]:
    """Writes ``index.html``, ``plots/*.png`` and, where there is one, ``validation.html``.

    The page is one file of HTML and pictures: no scripts, nothing from elsewhere.

    Args:
        run: the model, its data and results.
        folder: exists, and takes the files.
        config: how much is shown.

    Returns:
        A line for each part that could not be drawn.

    Raises:
        MissingExtraError: matplotlib, jinja2 or scikit-learn is not installed.
    """
    require("plots", "matplotlib", "jinja2", "sklearn")
    started = time.monotonic()
    parts = ReportParts()
    content = _content(run, config, parts)
    content["validation_page"] = _copy_validation(run.validation, folder)
    plots = folder / PLOTS_FOLDER
    plots.mkdir(exist_ok=True)
    for plot in parts.plots:
        (plots / f"{plot.name}.png").write_bytes(plot.content)
    content |= {"problems": parts.problems, "seconds": duration(time.monotonic() - started)}
    write_page(Path(__file__).with_name("run_report.html"), content, folder / PAGE_FILE)
    return parts.problems


def _content(run: Run, config: ReportConfig, parts: ReportParts) -> dict[str, Any]:
    history = parts.compute(
        "the history of the training",
        lambda: read_training_history(run.metadata, run.logs),
        TrainingHistory(),
    )
    sample = sample_windows(
        run.curves,
        run.model.window_size,
        run.masking,
        run.seed,
        config.scored_windows,
        config.draw_seed,
    )
    found: WindowReconstruction | None = parts.compute(
        "reconstructions", lambda: reconstruct(run.model, run.curves, sample), None
    )
    overall, tables = parts.compute("skill", lambda: _skill(found, parts), ([], []))
    mapped = sample_curves(
        run.curves, run.model.window_size, config.mapped_curves, config.draw_seed
    )
    chosen = run.curves.take(mapped)
    return {
        "run": run,
        "titles": TITLES,
        "short_titles": SHORT_TITLES,
        "baselines": tuple(BASELINE_TITLES),
        "data": parts.compute(
            "the summary of the data",
            lambda: summarise_data(run.validation, run.split, run.curves),
            None,
        ),
        "history": history,
        "learning": parts.draw("learning curves", lambda: draw_learning_curves(history)),
        "sample": sample,
        "windows": parts.draw(
            "reconstructed windows",
            lambda: draw_windows(found, config.plotted_classes) if found else [],
        ),
        "overall": overall,
        "skill": tables,
        "attention": parts.draw(
            "attention", lambda: draw_attention(run.model.encoder, found) if found else []
        ),
        "mapped": len(chosen),
        "map": parts.draw(
            "the map of embeddings",
            lambda: draw_map(
                mean_embeddings(run.model, chosen),
                chosen.class_names,
                config.embedding_map,
                config.draw_seed,
            ),
        ),
        "settings": hyperparameters(run),
        "training": training_facts(run),
        "machine": machine_facts(run),
        "own_machine": machine_rows(describe_machine()),
        "lineage": parts.compute(
            "the lineage", lambda: lay_out(run.lineage), Drawing(0, 0, [], [])
        ),
    }


def _skill(
    found: WindowReconstruction | None, parts: ReportParts
) -> tuple[list[GroupScores], list[_SkillTable]]:
    if found is None:
        return [], []
    steps = HiddenSteps(found)
    groups = {"length": steps.by_length(), "gap": steps.by_gap(), "class": steps.by_class()}
    tables = []
    for name, rows in groups.items():
        if rows:
            by = _GROUPS[name]
            plots = parts.draw(f"skill by {by}", lambda: [draw_skill(rows, name, by)])  # noqa: B023
            tables.append(_SkillTable(by, rows, plots))
    return steps.all(), tables


def _copy_validation(validation: Path | None, folder: Path) -> str:
    """Copies the validation's page; returns its name, or "" where there is none."""
    if validation is None or not (validation / FINDINGS_PAGE).is_file():
        return ""
    (folder / VALIDATION_PAGE).write_bytes((validation / FINDINGS_PAGE).read_bytes())
    return VALIDATION_PAGE


def publish_report(report: Path, reports: Path, name: str) -> Path:
    """Copies a report to ``reports/<name>/`` and to ``reports/latest/``, each whole or not at all.

    Args:
        report: folder of :func:`write_run_report`.
        reports: the folder of all reports; made if missing.
        name: of this one; characters that no file name takes are replaced.

    Returns:
        The page in its folder.
    """
    page = published_page(reports, name)
    for target in (page.parent, reports / LATEST_REPORT):
        with replace_folder(target) as partial:
            copy_tree(report, partial)
    return page


def published_page(reports: Path, name: str) -> Path:
    """The page that :func:`publish_report` makes."""
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".")
    return reports / (kept[:_LONGEST_NAME] or "report") / PAGE_FILE
