"""Leaves out light curves that break a rule, and tells which."""

from components.validator.component import LightCurveValidator

__all__ = ["LightCurveValidator"]
