"""Makes one HTML page about a pushed model and a fold: scores, plots, attention, embeddings.

astromer report --model MODEL --data FOLD --out FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

from astromer.commands.cli import Parser, add_flags, config_from, run_program
from astromer.records.fold import SPLITS, Fold
from astromer.reports.config import ReportConfig
from astromer.system.errors import DataNotFoundError, ModelError, UsageError
from astromer.system.storage import as_path
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="astromer report", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--model", required=True, help="a SavedModel, or a folder of versions (newest is taken)"
    )
    parser.add_argument("--data", required=True, metavar="FOLD", help="a fold folder")
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="takes index.html and plots/*.png"
    )
    parser.add_argument("--split", default="test", choices=SPLITS, help="default: test")
    parser.add_argument(
        "--validation", metavar="FOLDER", help="what the validation of these data wrote, if any"
    )
    parser.add_argument(
        "--logs",
        metavar="FOLDER",
        help="TensorBoard logs of the training, for a model that carries no history",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=TrainingConfig.seed,
        help=f"seed of what is hidden (default: {TrainingConfig.seed})",
    )
    add_flags(parser, MaskingConfig, ReportConfig)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Makes the page and says where it is.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    args = parse(arguments)
    masking, config = config_from(args, MaskingConfig), config_from(args, ReportConfig)
    if args.seed < 0:
        raise UsageError(f"--seed must be 0 or more. Received: {args.seed}.")
    if not as_path(args.model).exists():
        raise ModelError(f"--model must exist. Received: {args.model}. Train one with `make run`.")
    for option in ("validation", "logs"):
        given = getattr(args, option)
        if given and not as_path(given).is_dir():
            raise DataNotFoundError(f"--{option} must be a folder. Received: {given}.")
    fold = Fold.open(args.data)

    from astromer.system.logs import silence

    silence()
    from astromer.records.reader import read_light_curves
    from astromer.reports.lineage import lineage_of_model
    from astromer.reports.run import Run
    from astromer.reports.run_report import PAGE_FILE, write_run_report
    from astromer.serving.export import load_model
    from astromer.serving.saved_model import read_config
    from astromer.serving.versions.folder import latest_version
    from astromer.system.atomic import replace_folder
    from astromer.system.storage import make_folder

    out = make_folder(args.out, "--out")
    if any(out.iterdir()) and not (out / PAGE_FILE).exists():
        raise UsageError(
            f"--out must be a new or empty folder, or one with a report, which is replaced. "
            f"Received: {args.out}, which holds something else."
        )
    path = latest_version(args.model)
    model, model_config = load_model(path), read_config(path)
    curves = read_light_curves(fold.files[args.split], progress=True)
    if not len(curves):
        raise DataNotFoundError(f"The {args.split} split of {args.data} holds no light curve.")
    run = Run(
        title=f"{path.absolute().parent.name} {path.name}",
        model=model,
        model_config=model_config,
        curves=curves,
        split=args.split,
        data=args.data,
        masking=masking,
        seed=args.seed,
        validation=_folder(args.validation),
        logs=_folder(args.logs),
        lineage=lineage_of_model(str(path), model_config),
    )
    with replace_folder(out) as partial:
        problems = write_run_report(run, partial, config)
    for problem in problems:
        print(f"warning: {problem}")
    print(f"report: {out / PAGE_FILE}")
    return 0


def _folder(given: str | None) -> Path | None:
    return as_path(given) if given else None


if __name__ == "__main__":
    run_program(main)
