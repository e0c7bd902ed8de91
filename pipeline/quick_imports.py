"""Loads TFX without what it drags in and no run needs.

``import tfx.components.pusher`` runs ``tfx/components/__init__.py`` first, which imports every
component there is, and with them clients of Kubernetes and Docker, a tuner, a second Keras and a
language toolkit: more than half of the time that TFX takes to load. Python offers no way round a
package's ``__init__``; ``importlib.util.LazyLoader`` runs it as soon as a submodule is imported.
"""

from __future__ import annotations

import gc
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

PACKAGES = ("tfx.components", "tensorflow_model_analysis")
"""Packages of which a run uses some submodules, or nothing but a name in an annotation."""


class _Postponed(ModuleType):
    """A package whose ``__init__`` runs when a name is asked for that only it can give."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        if importlib.util.find_spec(full) is not None:
            return importlib.import_module(full)
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on like any other
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def postpone(package: str) -> None:
    """Makes a package available without running its ``__init__`` before it is needed.

    Does nothing where the package has been imported already, or is not installed.
    """
    if package in sys.modules:
        return
    parent, _, name = package.rpartition(".")
    spec = importlib.util.find_spec(package)  # imports the parent
    if spec is None or spec.submodule_search_locations is None:
        return
    module = _Postponed(package)
    module.__spec__, module.__path__ = spec, spec.submodule_search_locations
    module.__file__, module.__package__, module.__loader__ = spec.origin, package, spec.loader
    sys.modules[package] = module
    if parent:
        setattr(sys.modules[parent], name, module)


@contextmanager
def quick_imports() -> Iterator[None]:
    """Imports inside take two thirds of the time.

    What is imported stays until the process ends, so that looking for garbage in it, while it is
    loaded and ever after, finds nothing.
    """
    for package in PACKAGES:
        postpone(package)
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
