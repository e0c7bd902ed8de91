"""Scores a pushed model on light curves: hidden steps, beside the baselines."""

from __future__ import annotations

import json
from dataclasses import dataclass

from astromer.commands.cli import parse_config
from astromer.commands.config import FOLD, MODEL, SPLIT
from astromer.commands.model import chosen_model
from astromer.evaluation.config import EvaluationConfig
from astromer.records.fold import Fold
from astromer.system.config import Config, knob
from astromer.system.errors import DataNotFoundError
from astromer.system.storage import as_path
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig


@dataclass(frozen=True)
class ScoreOptions(Config):
    """Model and data."""

    data: str = FOLD
    model: str = MODEL
    split: str = SPLIT
    seeds: tuple[int, ...] = knob(
        (TrainingConfig.seed,),
        "seeds of the masks; several show what the choice of hidden steps is worth",
        "--seeds",
        bounds="[0, inf)",
    )
    out: str = knob("", "a JSON file for the metrics", "--out", metavar="FILE")
    masking: MaskingConfig = MaskingConfig()


def parse(arguments: list[str] | None = None) -> ScoreOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(ScoreOptions, arguments, prog="astromer score", description=__doc__)


def score(options: ScoreOptions) -> dict[str, dict[str, float]]:
    """Prints the table by class and length for the first seed, and one line for each seed.

    Returns:
        Metrics by seed.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    path = chosen_model(options.model)
    files = Fold.open(options.data).files[options.split]

    from astromer.system.logs import silence

    silence()
    from astromer.encoder.inference import Predictor
    from astromer.evaluation.evaluation import evaluate
    from astromer.records.reader import read_light_curves
    from astromer.serving.export import load_model

    model = load_model(path)
    batch_size = EvaluationConfig().batch_size
    predictor = Predictor(model)
    curves = read_light_curves(files, progress=True)
    if not len(curves):
        raise DataNotFoundError(
            f"The {options.split} split of {options.data} holds no light curve."
        )
    metrics: dict[str, dict[str, float]] = {}
    print(f"{path}\n{len(curves)} light curves of the {options.split} split of {options.data}")
    for seed in options.seeds:
        evaluation = evaluate(
            model,
            curves,
            masking=options.masking,
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
            f"{found['interpolation_hidden_rmse']:.4f}, harmonic fit "
            f"{min(found['harmonic_hidden_rmse'], found['harmonic_curve_hidden_rmse']):.4f}",
            flush=True,
        )
    if options.out:
        as_path(options.out).write_text(json.dumps(metrics, indent=2) + "\n")
    return metrics


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    score(parse(arguments))
