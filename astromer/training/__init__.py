"""Pre-training by masked reconstruction."""

from astromer.training.loop import Trainer, train
from astromer.training.result import TrainingResult

__all__ = ["Trainer", "TrainingResult", "train"]
