"""Libraries that a plain installation leaves out."""

from __future__ import annotations

import importlib.util

from astromer.system.errors import AstromerError

# Which extra of pyproject.toml brings a library.
_EXTRAS = {
    "pyarrow": "records",
    "tomli": "records",
    "tfx": "pipeline",
    "apache_beam": "pipeline",
    "ml_metadata": "pipeline",
    "tensorflow_data_validation": "pipeline",
    "tensorflow_metadata": "pipeline",
    "kfp": "pipeline",
    "matplotlib": "plots",
    "jinja2": "plots",
    "astropy": "fits",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "tf2onnx": "onnx",
    "light_curve": "finetune",
    "sklearn": "finetune",
}


class MissingExtraError(AstromerError):
    """A library of an extra is not installed.

    Attributes:
        extra: its name in pyproject.toml.
    """

    def __init__(self, message: str, extra: str):
        super().__init__(message)
        self.extra = extra


def require(extra: str, *libraries: str) -> None:
    """Raises MissingExtraError, which says how to install them, for libraries not there."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise _not_installed(extra, *missing)


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """What to install for a library that an import did not find; None if no extra has it."""
    library = (error.name or "").split(".")[0]
    return _not_installed(_EXTRAS[library], library) if library in _EXTRAS else None


def _not_installed(extra: str, *libraries: str) -> MissingExtraError:
    return MissingExtraError(
        f"{' and '.join(libraries)} {'is' if len(libraries) == 1 else 'are'} not installed. "
        f'Install with: pip install "astromer-pipeline[{extra}]".',
        extra,
    )
