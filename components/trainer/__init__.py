"""Trains AstroMer inside a pipeline."""

from components.trainer.component import AstromerTrainer

__all__ = ["AstromerTrainer"]
