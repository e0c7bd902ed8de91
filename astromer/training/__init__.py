"""Pre-training by masked reconstruction."""

from astromer.training.identity import run_fingerprint
from astromer.training.loop import Trainer, train
from astromer.training.result import TrainingResult

__all__ = ["Trainer", "TrainingResult", "run_fingerprint", "train"]
