"""Fine-tunes a pushed encoder on a fold of records, beside honest baselines."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astromer.commands.cli import Parser, add_flags, config_from, run_program
from astromer.commands.validation_flags import add_validation_flags, validation_config
from astromer.finetuning.config import FinetuneConfig, StudyConfig
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.fold import Fold
from astromer.serving.config import ServingConfig
from astromer.system.atomic import replace_folder
from astromer.system.config import OUTPUT, LogConfig, to_dict
from astromer.system.environment import require
from astromer.system.errors import ModelError, UsageError
from astromer.system.logs import new_log, noise_to
from astromer.system.storage import as_path, local_path, make_folder
from astromer.system.terminal import say
from astromer.windows.config import MaskingConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astromer.finetuning.encoder_sources import PretrainedSource
    from astromer.light_curves import LightCurves

TASKS = ("classify", "reconstruct")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(
        prog="python -m astromer finetune",
        description=__doc__,
        epilog="A stopped run goes on where it was: what is finished is not done again.",
    )
    parser.add_argument(
        "--model", required=True, help="a SavedModel, or a folder of versions (newest is taken)"
    )
    parser.add_argument("--data", required=True, metavar="FOLD", help="a fold folder")
    parser.add_argument(
        "--task",
        default="classify",
        choices=TASKS,
        help="classify, or continue the masked reconstruction (default: classify)",
    )
    parser.add_argument(
        "--output", help="where results and the model go (default: ./outputs/finetune/NAME of data)"
    )
    parser.add_argument(
        "--public-weights", metavar="ZIP", help="weights of the public code for --baselines public"
    )
    add_flags(parser, StudyConfig, FinetuneConfig, MaskingConfig, MissingErrorsConfig, LogConfig)
    add_flags(parser, ServingConfig)
    add_validation_flags(parser)
    return parser.parse_args(arguments)


def finetune(args: argparse.Namespace) -> Path:
    """Runs the task; prints its table and where everything lies.

    Returns:
        The output folder.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    study, config = config_from(args, StudyConfig), config_from(args, FinetuneConfig)
    masking, validation = config_from(args, MaskingConfig), validation_config(args)
    errors, serving = config_from(args, MissingErrorsConfig), config_from(args, ServingConfig)
    check_baselines(study, args.public_weights)
    if not as_path(args.model).exists():
        raise ModelError(f"--model must exist. Received: {args.model}. Train one with `make run`.")
    fold = Fold.open(args.data)
    if args.task == "classify":
        require("finetune", "sklearn", "light_curve")
        require("plots", "matplotlib")
    output = make_folder(args.output or default_output(fold), "--output")

    from astromer.system.logs import silence

    silence()
    with noise_to(new_log(output, config_from(args, LogConfig).keep_logs)):
        from astromer.finetuning.encoder_sources import PretrainedSource
        from astromer.validation.fold_check import accepted_curves

        source = PretrainedSource(args.model)
        report = output / "validation"
        curves = accepted_curves(fold, validation, LightCurveRules(), report, None, errors)
        facts = {"task": args.task, "data": str(fold.path), "encoder": source.lineage()}
        if args.task == "classify":
            _classify(source, curves, study, config, output, args.public_weights, facts, serving)
        else:
            _reconstruct(source, curves, config, masking, study.seeds[0], output, facts, serving)
    return output


def check_baselines(study: StudyConfig, public_weights: str | None) -> None:
    """Refuses baselines that cannot be had, before anything is loaded.

    Raises:
        UsageError: "public" without its weights.
        ModelError: the weights do not exist.
    """
    if "public" in study.baselines and not public_weights:
        raise UsageError("--baselines public needs --public-weights ZIP. Received: none.")
    if public_weights and not local_path(public_weights, "--public-weights").exists():
        raise ModelError(f"--public-weights must exist. Received: {public_weights}.")


def default_output(fold: Fold) -> Path:
    """``./outputs/finetune/<survey>_<fold>``."""
    path = fold.path.resolve()
    return Path(OUTPUT) / "finetune" / f"{path.parent.name}_{path.name}"


def _classify(
    source: PretrainedSource,
    curves: Mapping[str, LightCurves],
    study_config: StudyConfig,
    config: FinetuneConfig,
    output: Path,
    public_weights: str | None,
    facts: dict[str, Any],
    serving: ServingConfig,
) -> None:
    from astromer.finetuning.classification import classify

    done = classify(
        source,
        curves,
        study_config,
        config,
        output,
        public_weights=public_weights,
        serving=serving,
        facts=facts,
        say=say,
        progress=True,
    )
    say(f"\n{done.text}\n\n{output / 'table.md'}, results.json, results.csv, per_class.csv")
    say(f"SavedModel: {output / 'classifier'} ({done.cell.name})")


def _reconstruct(
    source: PretrainedSource,
    curves: Mapping[str, LightCurves],
    config: FinetuneConfig,
    masking: MaskingConfig,
    seed: int,
    output: Path,
    facts: dict[str, Any],
    serving: ServingConfig,
) -> None:
    from astromer.finetuning.reconstruction import continue_reconstruction
    from astromer.serving.export import export_saved_model

    folder = output / "reconstruction"
    done = continue_reconstruction(source, curves, config, masking, seed, folder)
    settings = {"masking": to_dict(masking), "finetune": to_dict(config), "seed": seed}
    with replace_folder(output / "model") as partial:
        metadata = {"finetuned_from": facts["encoder"], **settings, **done.to_dict()}
        export_saved_model(done.model, partial, metadata, serving=serving)
    (output / "table.md").write_text(done.markdown() + "\n", encoding="utf-8")
    content = {**facts, **settings, **done.to_dict()}
    (output / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    say(f"\n{done.text()}\n\n{output / 'table.md'}, results.json")
    say(f"SavedModel: {output / 'model'}")


def main() -> None:
    """``python -m astromer finetune --model MODEL --data FOLD``."""
    finetune(parse())


if __name__ == "__main__":
    run_program(main)
