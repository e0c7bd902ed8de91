"""Fine-tunes a pushed encoder on a fold of records, and compares it with baselines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astromer.commands.cli import parse_config
from astromer.commands.config import ClassificationConfig
from astromer.commands.model import chosen_model
from astromer.records.fold import Fold
from astromer.system.atomic import replace_folder
from astromer.system.config import OUTPUT, knob, to_dict
from astromer.system.environment import require
from astromer.system.errors import ModelError
from astromer.system.logs import new_log, redirect_output
from astromer.system.storage import as_path, local_path, make_folder
from astromer.system.terminal import say
from astromer.windows.config import MaskingConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astromer.finetuning.encoder_sources import PretrainedSource
    from astromer.light_curves import LightCurves

TASKS = ("classify", "reconstruct")


@dataclass(frozen=True)
class FinetuneOptions(ClassificationConfig):
    """Model, data and output."""

    output: str = knob(
        "",
        f"where results and the model go (default: {OUTPUT}/finetune/NAME of data)",
        "--output",
        metavar="FOLDER",
    )
    task: str = knob(
        "classify", "classify, or continue the masked reconstruction", "--task", choices=TASKS
    )
    labels: str = knob(
        "",
        "labels by hand, a CSV with the columns id and label, as the page of astromer explore "
        "saves it; they take the place of the fold's classes, and their light curves are divided "
        "anew",
        "--labels",
        metavar="FILE",
    )
    masking: MaskingConfig = MaskingConfig()


def parse(arguments: list[str] | None = None) -> FinetuneOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        FinetuneOptions,
        arguments,
        prog="astromer finetune",
        description=__doc__,
        epilog="The same command resumes a stopped run; finished trials are not repeated.",
    )


def finetune(config: FinetuneOptions) -> Path:
    """Runs the task; prints its table and where everything lies.

    Returns:
        The output folder.

    Raises:
        AstromerError: for bad options, data or models; see the subclasses.
    """
    check_public_weights(config.public_weights)
    from astromer.explore.page import read_labels

    labels = read_labels(as_path(config.labels)) if config.labels else None
    model = chosen_model(config.model)
    fold = Fold.open(config.data)
    if config.task == "classify":
        require("finetune", "sklearn", "light_curve")
        require("plots", "matplotlib")
    output = make_folder(config.output or default_output(fold), "--output")

    from astromer.system.logs import silence

    silence()
    with redirect_output(new_log(output, config.logs.keep_logs)):
        from astromer.finetuning.encoder_sources import PretrainedSource
        from astromer.validation.fold_check import accepted_curves

        source = PretrainedSource(model)
        report = output / "validation"
        curves = accepted_curves(fold, config.validation, config.rules, report, None, config.errors)
        if labels is not None:
            from astromer.finetuning.labelled_data import divide_labelled

            curves = divide_labelled(curves, labels, config.study.seeds[0])
            say(f"labels by hand: {sum(map(len, curves.values()))} light curves, {config.labels}")
        facts = {"task": config.task, "data": str(fold.path), "encoder": source.lineage()}
        facts |= {"labels": config.labels} if config.labels else {}
        run = _classify if config.task == "classify" else _reconstruct
        run(source, curves, config, output, facts)
    return output


def check_public_weights(public_weights: str) -> None:
    """Checks that weights that are given exist.

    Raises:
        ModelError: they do not.
    """
    if public_weights and not local_path(public_weights, "--public-weights").exists():
        raise ModelError(f"--public-weights must exist. Received: {public_weights}.")


def default_output(fold: Fold) -> Path:
    """``./outputs/finetune/<survey>_<fold>``."""
    path = fold.path.resolve()
    return Path(OUTPUT) / "finetune" / f"{path.parent.name}_{path.name}"


def _classify(
    source: PretrainedSource,
    curves: Mapping[str, LightCurves],
    config: FinetuneOptions,
    output: Path,
    facts: dict[str, Any],
) -> None:
    from astromer.finetuning.classification import fine_tune_classifiers

    done = fine_tune_classifiers(
        source,
        curves,
        config.study,
        config.finetune,
        output,
        public_weights=config.public_weights or None,
        serving=config.serving,
        facts=facts,
        say=say,
        progress=True,
    )
    say(f"\n{done.text}\n\n{output / 'table.md'}, results.json, results.csv, per_class.csv")
    say(f"SavedModel: {output / 'classifier'} ({done.trial.name})")


def _reconstruct(
    source: PretrainedSource,
    curves: Mapping[str, LightCurves],
    config: FinetuneOptions,
    output: Path,
    facts: dict[str, Any],
) -> None:
    from astromer.finetuning.reconstruction_training import continue_reconstruction
    from astromer.serving.export import export_saved_model

    folder, seed = output / "reconstruction", config.study.seeds[0]
    done = continue_reconstruction(source, curves, config.finetune, config.masking, seed, folder)
    settings = {
        "masking": to_dict(config.masking),
        "finetune": to_dict(config.finetune),
        "seed": seed,
    }
    with replace_folder(output / "model") as partial:
        metadata = {"finetuned_from": facts["encoder"], **settings, **done.to_dict()}
        export_saved_model(done.model, partial, metadata, serving=config.serving)
    (output / "table.md").write_text(done.markdown() + "\n", encoding="utf-8")
    content = {**facts, **settings, **done.to_dict()}
    (output / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    say(f"\n{done.text()}\n\n{output / 'table.md'}, results.json")
    say(f"SavedModel: {output / 'model'}")


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    finetune(parse(arguments))
