"""TFX components around :mod:`astromer`. They move artifacts; the science is in the package."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Kubeflow imports an artifact's class by its type name, which may hold one dot only.
    if name == "LightCurveAnomalies":
        from components.validator.artifact import LightCurveAnomalies

        return LightCurveAnomalies
    if name == "RunReport":
        from components.reporter.artifact import RunReport

        return RunReport
    raise AttributeError(name)
