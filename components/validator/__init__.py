"""Leaves out light curves that break a rule, and reports them."""

from components.validator.component import LightCurveValidator

__all__ = ["LightCurveValidator"]
