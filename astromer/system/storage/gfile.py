"""TensorFlow's file systems: loaded late, checked for the scheme, failing with OSErrors."""

from __future__ import annotations

import errno
import functools
import importlib
import io
import os
from typing import Any, BinaryIO, cast

from astromer.system.errors import UsageError

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
        from astromer.system.logs import silence

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


_BLOCK = 1 << 20
"""Bytes that are asked for at once: a request to a store costs tens of milliseconds."""


def open_stream(path: str, mode: str) -> BinaryIO:
    """A buffered stream of bytes.

    Args:
        path: with its scheme.
        mode: "r", "w" or "a".

    Raises:
        FileNotFoundError: there is no file to read.
        IsADirectoryError: it is a folder.
    """
    if mode == "r":
        if file_system(path).call("isdir", path):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return cast(BinaryIO, io.BufferedReader(_Reader(path), _BLOCK))
    if mode not in ("w", "a"):
        raise ValueError(f"the mode must be r, w or a. Received: {mode}.")
    return cast(BinaryIO, io.BufferedWriter(_Writer(path, mode), _BLOCK))


class _Reader(io.RawIOBase):
    def __init__(self, path: str):
        self._system, self._path = file_system(path), path
        self._size = int(self._system.call("stat", path).length)
        self._file = self._system.open(path, "rb")
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0  # TensorFlow would raise where a file ends before the place to read
        block = self._system.guard(self._file.read, self._path, wanted)
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        if self._position <= self._size:
            self._system.guard(self._file.seek, self._path, self._position)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _Writer(io.RawIOBase):
    def __init__(self, path: str, mode: str):
        self._system, self._path = file_system(path), path
        self._file = self._system.open(path, mode + "b")
        self._position = 0
        self._write(b"")  # makes an empty file, and tells at once where none can be made

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._write(view.tobytes())
        self._position += len(view)
        return len(view)

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            self._system.guard(self._file.close, self._path)
        super().close()

    def _write(self, data: bytes) -> None:
        self._system.guard(self._file.write, self._path, data)
