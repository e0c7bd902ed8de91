"""TFDV's statistics of light-curve records."""

from components.statistics.component import StatisticsGen

__all__ = ["StatisticsGen"]
