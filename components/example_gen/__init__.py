"""Ingests fold records as they are: same splits, same order."""

from components.example_gen.component import FoldExampleGen

__all__ = ["FoldExampleGen"]
