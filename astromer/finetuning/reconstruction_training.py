"""Masked reconstruction, continued on another survey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.encoder.config import EncoderConfig
from astromer.encoder.reconstructor import Reconstructor
from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.evaluation.config import EvaluationConfig
from astromer.evaluation.evaluation import Evaluation, evaluate
from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.encoder_sources import PretrainedSource
from astromer.light_curves import LightCurves
from astromer.system.errors import ModelError
from astromer.system.text import table
from astromer.training.config import TrainingConfig
from astromer.training.loop import train
from astromer.windows.config import MaskingConfig


@dataclass(frozen=True)
class ReconstructionResult:
    """A pushed model before and after training on another survey.

    Attributes:
        model: the trained one.
        zero_shot, fine_tuned: scores on the same hidden steps of the test split.
        training: the summary of the training.
    """

    model: Reconstructor
    zero_shot: Evaluation
    fine_tuned: Evaluation
    training: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "zero_shot": self.zero_shot.metrics,
            "fine_tuned": self.fine_tuned.metrics,
            "training": self.training,
        }

    def rows(self) -> list[tuple[str, str, str]]:
        """A line for each prediction: its name, RMSE [mag] and R2 at hidden steps."""
        scores = {
            "pushed encoder as it is": self.zero_shot.hidden["model"],
            "fine-tuned encoder": self.fine_tuned.hidden["model"],
            **{title: self.zero_shot.hidden[name] for name, title in BASELINE_TITLES.items()},
        }
        lines = [(name, f"{s.rmse():.4f}", f"{s.r2():.3f}") for name, s in scores.items()]
        return [("hidden steps of the test split", "RMSE [mag]", "R2"), *lines]

    def text(self) -> str:
        """The rows for a terminal."""
        return "\n".join(f"{name:32}{rmse:>12}{r2:>9}" for name, rmse, r2 in self.rows())

    def markdown(self) -> str:
        """The rows as a table in Markdown."""
        head, *rows = self.rows()
        return table(head, rows)


def continue_reconstruction(
    source: PretrainedSource,
    curves: Mapping[str, LightCurves],
    config: FinetuneConfig,
    masking: MaskingConfig,
    seed: int,
    folder: Path,
) -> ReconstructionResult:
    """Trains a pushed model further, with early stopping, and scores it before and after.

    A call with the same folder resumes an earlier one. The weights of the best epoch are kept; they
    may still be worse than the pushed model: compare the two scores.

    Args:
        source: the pushed model.
        curves: by split.
        config: the settings.
        masking: fractions of probed, same and random steps.
        seed: of windows, masks and dropout.
        folder: of checkpoints and logs.

    Raises:
        ModelError: the model was imported from public weights, which see what is hidden.
        TrainingError, TrainingInterrupted: as :class:`astromer.training.loop.Trainer`.
    """
    model = source.make(seed)
    if model.encoder.quirks is not None:
        raise ModelError(
            f"--task reconstruct needs a model that does not see hidden steps. {source.path} was "
            "imported from public weights, whose scores on hidden steps measure copying. Use a "
            "model that was pre-trained here, or --task classify."
        )

    def evaluated(model: Reconstructor, earlier: Evaluation | None = None) -> Evaluation:
        size = EvaluationConfig().batch_size
        test = curves["test"]
        return evaluate(
            model,
            test,
            masking=masking,
            seed=seed,
            batch_size=size,
            earlier=earlier,
            progress=True,
        )

    zero_shot = evaluated(model)  # before training, so that a damaged test split shows at once
    shape = model.encoder.settings
    shape.pop("quirks")
    training = TrainingConfig(
        epochs=config.reconstruct_epochs,
        batch_size=config.reconstruct_batch_size,
        learning_rate=config.learning_rate,
        patience=config.patience,
        norm=model.normalise,
        seed=seed,
    )
    result = train(
        curves["train"],
        curves["validation"],
        encoder=EncoderConfig(**shape, window_size=model.window_size),
        masking=masking,
        training=training,
        checkpoint_dir=folder / "checkpoints",
        log_dir=folder / "logs",
        initial=[np.asarray(variable) for variable in model.variables],
    )
    fine_tuned = evaluated(result.model, zero_shot)
    return ReconstructionResult(result.model, zero_shot, fine_tuned, result.summary)
