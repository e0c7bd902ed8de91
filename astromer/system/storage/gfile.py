"""TensorFlow's file systems: loaded late, checked for the scheme, failing with OSErrors."""

from __future__ import annotations

import errno
import functools
import importlib
import os
from typing import Any

from astromer.system.errors import UsageError
from astromer.system.logs import silence

_EXTENSION = "tensorflow_io"
"""Registers s3, hdfs, viewfs and others when it is imported; gs comes with TensorFlow."""
_CLOUD = ("s3", "hdfs", "viewfs", "har", "az", "http", "https", "oss")
_NUMBERS = {
    "NotFoundError": errno.ENOENT,
    "AlreadyExistsError": errno.EEXIST,
    "PermissionDeniedError": errno.EACCES,
    "UnauthenticatedError": errno.EACCES,
    "ResourceExhaustedError": errno.ENOSPC,
}


class FileSystem:
    """``tf.io.gfile`` with its errors as OSErrors."""

    def __init__(self) -> None:
        silence()
        import tensorflow as tf

        self._gfile, self._error = tf.io.gfile, tf.errors.OpError

    def schemes(self) -> list[str]:
        """The schemes that TensorFlow knows, for instance gs and ram."""
        return [scheme for scheme in self._gfile.get_registered_schemes() if scheme]

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """Calls a function of ``tf.io.gfile``; the first argument is the path.

        Raises:
            OSError: of the kind that tells what went wrong, with the path.
        """
        try:
            return getattr(self._gfile, operation)(*arguments, **options)
        except self._error as error:
            raise self.os_error(error, str(arguments[0])) from error

    def open(self, path: str, mode: str) -> Any:
        """A ``tf.io.gfile.GFile``, whose methods must be called by :meth:`guard`."""
        return self._gfile.GFile(path, mode)

    def guard(self, method: Any, path: str, *arguments: Any) -> Any:
        """Calls a method of an open file.

        Raises:
            OSError: as :meth:`call`.
        """
        try:
            return method(*arguments)
        except self._error as error:
            raise self.os_error(error, path) from error

    @staticmethod
    def os_error(error: Exception, path: str) -> OSError:
        """The OSError that tells what TensorFlow's error does."""
        number = _NUMBERS.get(type(error).__name__, errno.EIO)
        said = (getattr(error, "message", "") or str(error)).strip().split("\n")[0]
        said = said or os.strerror(number)
        return OSError(number, said[:300], path)


def file_system(path: str) -> FileSystem:
    """TensorFlow's file systems, which must know the scheme of a path.

    Raises:
        UsageError: they do not.
    """
    _check_scheme(path.partition("://")[0])
    return _file_system()


@functools.cache
def _file_system() -> FileSystem:
    return FileSystem()


@functools.cache
def _check_scheme(scheme: str) -> None:
    """Only what is right is remembered: the extension may be installed meanwhile."""
    system = _file_system()
    if scheme in system.schemes():
        return
    problem = "it is not installed"
    try:
        importlib.import_module(_EXTENSION)
    except ModuleNotFoundError:
        pass
    except Exception as error:  # a build for another TensorFlow fails in many ways
        problem = f"it cannot be loaded: {str(error).strip()[:200]}"
    if scheme in system.schemes():
        return
    known = ", ".join(f"{name}://" for name in sorted(system.schemes()))
    if scheme in _CLOUD:
        raise UsageError(
            f"{scheme}:// needs the package tensorflow-io, and {problem}. Install the one made for "
            "TensorFlow 2.16 (`pip install tensorflow-io==0.37.1`), or copy the files to this "
            f"machine. Without it there are {known}."
        )
    raise UsageError(
        f"a path must be local, or begin with one of {known}. Received: one that begins with "
        f"{scheme}://."
    )
