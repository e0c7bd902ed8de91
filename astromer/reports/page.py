"""Puts the page together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from astromer.reports.attention_plot import draw_attention
from astromer.reports.config import ReportConfig
from astromer.reports.data_summary import summarise_data
from astromer.reports.embedding_map import draw_map, embed
from astromer.reports.facts import duration, machine_facts, machine_rows, settings, training_facts
from astromer.reports.history import History, read_history
from astromer.reports.learning_curves import draw_learning_curves
from astromer.reports.lineage_drawing import Drawing, lay_out
from astromer.reports.plot import INTERPOLATION, MEAN, TITLES, Plot
from astromer.reports.reconstruction import Reconstruction, reconstruct
from astromer.reports.run import Run
from astromer.reports.sample import draw_curves, draw_windows
from astromer.reports.section import Sections
from astromer.reports.skill import HiddenSteps, Row
from astromer.reports.skill_plot import draw_skill
from astromer.reports.window_plot import draw_windows as draw_window_plots
from astromer.system.environment import describe_machine, require
from astromer.system.html.page import write_page

PAGE_FILE = "index.html"
PLOTS_FOLDER = "plots"
VALIDATION_PAGE = "validation.html"
_GROUPS = {
    "length": "observations of the light curve",
    "gap": "days to the nearest visible step",
    "class": "class",
}


class SkillTable(NamedTuple):
    """Scores of groups of hidden steps, and their plots."""

    by: str
    rows: Sequence[Row]
    plots: list[Plot]


def write_run_report(run: Run, folder: Path, config: ReportConfig = ReportConfig()) -> list[str]:
    """Writes ``index.html``, ``plots/*.png`` and, where there is one, ``validation.html``.

    The page is one file of HTML and pictures: no scripts, nothing from elsewhere.

    Args:
        run: what it is about.
        folder: is there, and takes the files.
        config: how much is shown.

    Returns:
        What could not be drawn, a line for each part.

    Raises:
        MissingExtraError: matplotlib, jinja2 or scikit-learn is not installed.
    """
    require("plots", "matplotlib", "jinja2", "sklearn")
    started = time.monotonic()
    sections = Sections()
    content = _content(run, config, sections)
    content["validation_page"] = _copy_validation(run.validation, folder)
    plots = folder / PLOTS_FOLDER
    plots.mkdir(exist_ok=True)
    for plot in sections.plots:
        (plots / f"{plot.name}.png").write_bytes(plot.content)
    content |= {"problems": sections.problems, "seconds": duration(time.monotonic() - started)}
    write_page(Path(__file__).with_name("page.html"), content, folder / PAGE_FILE)
    return sections.problems


def _content(run: Run, config: ReportConfig, sections: Sections) -> dict[str, Any]:
    history = sections.compute(
        "the history of the training",
        lambda: read_history(run.metadata, run.logs),
        History(),
    )
    sample = draw_windows(
        run.curves,
        run.model.window_size,
        run.masking,
        run.seed,
        config.scored_windows,
        config.draw_seed,
    )
    found: Reconstruction | None = sections.compute(
        "reconstructions", lambda: reconstruct(run.model, run.curves, sample), None
    )
    overall, tables = sections.compute("skill", lambda: _skill(found, sections), ([], []))
    mapped = draw_curves(run.curves, run.model.window_size, config.mapped_curves, config.draw_seed)
    chosen = run.curves.take(mapped)
    return {
        "run": run,
        "titles": TITLES,
        "baselines": (MEAN, INTERPOLATION),
        "data": sections.compute(
            "the summary of the data",
            lambda: summarise_data(run.validation, run.split, run.curves),
            None,
        ),
        "history": history,
        "learning": sections.draw("learning curves", lambda: draw_learning_curves(history)),
        "sample": sample,
        "windows": sections.draw(
            "reconstructed windows",
            lambda: draw_window_plots(found, config.plotted_classes) if found else [],
        ),
        "overall": overall,
        "skill": tables,
        "attention": sections.draw(
            "attention", lambda: draw_attention(run.model.encoder, found) if found else []
        ),
        "mapped": len(chosen),
        "map": sections.draw(
            "the map of embeddings",
            lambda: draw_map(
                embed(run.model, chosen),
                chosen.class_names,
                config.embedding_map,
                config.draw_seed,
            ),
        ),
        "settings": settings(run),
        "training": training_facts(run),
        "machine": machine_facts(run),
        "own_machine": machine_rows(describe_machine()),
        "lineage": sections.compute(
            "the lineage", lambda: lay_out(run.lineage), Drawing(0, 0, [], [])
        ),
    }


def _skill(found: Reconstruction | None, sections: Sections) -> tuple[list[Row], list[SkillTable]]:
    if found is None:
        return [], []
    steps = HiddenSteps(found)
    groups = {"length": steps.by_length(), "gap": steps.by_gap(), "class": steps.by_class()}
    tables = []
    for name, rows in groups.items():
        if rows:
            by = _GROUPS[name]
            plots = sections.draw(f"skill by {by}", lambda: [draw_skill(rows, name, by)])  # noqa: B023
            tables.append(SkillTable(by, rows, plots))
    return steps.all(), tables


def _copy_validation(validation: Path | None, folder: Path) -> str:
    """Puts the validation's page beside this one; its name, or "" where there is none."""
    from astromer.validation.findings_page import FINDINGS_PAGE

    if validation is None or not (validation / FINDINGS_PAGE).is_file():
        return ""
    (folder / VALIDATION_PAGE).write_bytes((validation / FINDINGS_PAGE).read_bytes())
    return VALIDATION_PAGE
