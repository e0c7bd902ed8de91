"""Makes one HTML page about a pushed model and a fold: scores, plots, attention, embeddings.

astromer report [--model MODEL] --data FOLD --out FOLDER
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from astromer.commands.cli import parse_config
from astromer.commands.config import FOLD, MASK_SEED, MODEL, SPLIT
from astromer.commands.model import chosen_model
from astromer.records.fold import Fold
from astromer.reports.config import ReportConfig
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import DataNotFoundError, UsageError
from astromer.system.storage import as_path
from astromer.windows.config import MaskingConfig


@dataclass(frozen=True)
class ReportOptions(Config):
    """Model, data and output."""

    data: str = FOLD
    out: str = knob(REQUIRED, "takes index.html and plots/*.png", "--out", metavar="FOLDER")
    model: str = MODEL
    split: str = SPLIT
    validation: str = knob(
        "", "what the validation of these data wrote, if any", "--validation", metavar="FOLDER"
    )
    logs: str = knob(
        "",
        "TensorBoard logs of the training, for a model that carries no history",
        "--logs",
        metavar="FOLDER",
    )
    seed: int = MASK_SEED
    masking: MaskingConfig = MaskingConfig()
    report: ReportConfig = ReportConfig()


def parse(arguments: list[str] | None = None) -> ReportOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        ReportOptions,
        arguments,
        prog="astromer report",
        description=(__doc__ or "").split("\n")[0],
    )


def main(arguments: list[str] | None = None) -> int:
    """Makes the page and says where it is.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    options = parse(arguments)
    path = chosen_model(options.model)
    for option in ("validation", "logs"):
        given = getattr(options, option)
        if given and not as_path(given).is_dir():
            raise DataNotFoundError(f"--{option} must be a folder. Received: {given}.")
    fold = Fold.open(options.data)

    from astromer.system.logs import silence

    silence()
    from astromer.records.reader import read_light_curves
    from astromer.reports.lineage import lineage_of_model
    from astromer.reports.run import Run
    from astromer.reports.run_report import PAGE_FILE, write_run_report
    from astromer.serving.export import load_model
    from astromer.serving.saved_model import read_config
    from astromer.serving.starter.package import identity_of
    from astromer.system.atomic import replace_folder
    from astromer.system.storage import make_folder

    out = make_folder(options.out, "--out")
    if any(out.iterdir()) and not (out / PAGE_FILE).exists():
        raise UsageError(
            f"--out must be a new or empty folder, or one with a report, which is replaced. "
            f"Received: {options.out}, which holds something else."
        )
    model, model_config = load_model(path), read_config(path)
    curves = read_light_curves(fold.files[options.split], progress=True)
    if not len(curves):
        raise DataNotFoundError(
            f"The {options.split} split of {options.data} holds no light curve."
        )
    run = Run(
        title=identity_of(path).title,
        model=model,
        model_config=model_config,
        curves=curves,
        split=options.split,
        data=options.data,
        masking=options.masking,
        seed=options.seed,
        validation=_folder(options.validation),
        logs=_folder(options.logs),
        lineage=lineage_of_model(str(path), model_config),
    )
    with replace_folder(out) as partial:
        problems = write_run_report(run, partial, options.report)
    for problem in problems:
        print(f"warning: {problem}")
    print(f"report: {out / PAGE_FILE}")
    return 0


def _folder(given: str) -> Path | None:
    return as_path(given) if given else None
