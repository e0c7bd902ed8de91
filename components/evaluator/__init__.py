"""Evaluates a trained model on the test split."""

from components.evaluator.component import AstromerEvaluator

__all__ = ["AstromerEvaluator"]
