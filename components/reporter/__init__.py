"""Makes the page about a run."""

from components.reporter.component import Reporter

__all__ = ["Reporter"]
