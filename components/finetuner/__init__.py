"""Fine-tunes a pushed encoder inside a pipeline, and evaluates the classifier."""

from components.finetuner.component import Finetuner
from components.finetuner.judge import ClassifierJudge

__all__ = ["ClassifierJudge", "Finetuner"]
