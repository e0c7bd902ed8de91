"""Scores a pushed model on light curves: hidden steps, beside two baselines."""

from __future__ import annotations

import argparse
import json

from astromer.commands.cli import Parser, add_flags, config_from, run_program
from astromer.evaluation.config import EvaluationConfig
from astromer.records.fold import SPLITS, Fold
from astromer.system.errors import DataNotFoundError, ModelError, UsageError
from astromer.system.storage import as_path
from astromer.windows.config import MaskingConfig


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="astromer score", description=__doc__)
    parser.add_argument(
        "--model",
        required=True,
        help="a SavedModel, or a folder of versions (the one that latest names)",
    )
    parser.add_argument("--data", required=True, help="a fold folder")
    parser.add_argument("--split", default="test", choices=SPLITS, help="default: test")
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=[42],
        help="seeds of the masks; several show what the choice of hidden steps is worth",
    )
    parser.add_argument("--out", help="a JSON file for the metrics")
    add_flags(parser, MaskingConfig)
    return parser.parse_args(arguments)


def score(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Prints the table by class and length for the first seed, and one line for each seed.

    Returns:
        Metrics by seed.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    masking = config_from(args, MaskingConfig)
    if min(args.seeds) < 0:
        raise UsageError(f"--seeds must be 0 or more. Received: {min(args.seeds)}.")
    if not as_path(args.model).exists():
        raise ModelError(f"--model must exist. Received: {args.model}. Train one with `make run`.")
    files = Fold.open(args.data).files[args.split]

    from astromer.system.logs import silence

    silence()
    from astromer.encoder.inference import Predictor
    from astromer.evaluation.evaluation import evaluate
    from astromer.records.reader import read_light_curves
    from astromer.serving.export import load_model
    from astromer.serving.versions.folder import latest_version

    path = latest_version(args.model)
    model = load_model(path)
    batch_size = EvaluationConfig().batch_size
    predictor = Predictor(model)
    curves = read_light_curves(files, progress=True)
    if not len(curves):
        raise DataNotFoundError(f"The {args.split} split of {args.data} holds no light curve.")
    metrics: dict[str, dict[str, float]] = {}
    print(f"{path}\n{len(curves)} light curves of the {args.split} split of {args.data}")
    for seed in args.seeds:
        evaluation = evaluate(
            model,
            curves,
            masking=masking,
            seed=seed,
            batch_size=batch_size,
            predictor=predictor,
            progress=True,
        )
        if not metrics:
            print(evaluation.table(by_group=True))
        found = metrics[str(seed)] = evaluation.metrics
        print(
            f"seed {seed}: hidden RMSE {found['hidden_rmse']:.4f} mag, "
            f"R2 {found['hidden_r2']:.4f}; mean {found['mean_hidden_rmse']:.4f}, interpolation "
            f"{found['interpolation_hidden_rmse']:.4f}",
            flush=True,
        )
    if args.out:
        as_path(args.out).write_text(json.dumps(metrics, indent=2) + "\n")
    return metrics


def main() -> None:
    """``astromer score --model MODEL --data FOLD``."""
    score(parse())


if __name__ == "__main__":
    run_program(main)
