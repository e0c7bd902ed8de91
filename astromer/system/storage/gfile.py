"""TensorFlow's file systems: loaded late, checked for the scheme, failing with OSErrors."""

from __future__ import annotations

import errno
import functools
import importlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
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
_BLOCK = 1 << 20
"""Bytes per request, which costs tens of milliseconds."""


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
            OSError: with the path and the number that fits TensorFlow's error.
        """
        with self.os_errors(str(arguments[0])):
            return getattr(self._gfile, operation)(*arguments, **options)

    def open(self, path: str, mode: str) -> Any:
        """A ``tf.io.gfile.GFile``, to be used inside :meth:`os_errors`."""
        return self._gfile.GFile(path, mode)

    @contextmanager
    def os_errors(self, path: str) -> Iterator[None]:
        """Raises TensorFlow's errors as OSErrors of a path."""
        try:
            yield
        except self._error as error:
            number = _NUMBERS.get(type(error).__name__, errno.EIO)
            text = (getattr(error, "message", "") or str(error)).strip().split("\n")[0]
            raise OSError(number, (text or os.strerror(number))[:300], path) from error


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


@functools.cache  # successes only: the extension may be installed later
def _check_scheme(scheme: str) -> None:
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
            f"{scheme}:// needs the package tensorflow-io, and {problem}. Install it beside "
            "TensorFlow 2.16, the newest that it is made for "
            "(`pip install tensorflow-io==0.37.1`), or copy the files to this machine. "
            f"Without it there are {known}."
        )
    raise UsageError(f"a path must be local, or begin with one of {known}. Received: {scheme}://.")


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


class _Stream(io.RawIOBase):
    def __init__(self, path: str, mode: str):
        self._system, self._path, self._position = file_system(path), path, 0
        self._file = self._system.open(path, mode + "b")

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            with self._system.os_errors(self._path):
                self._file.close()
        super().close()


class _Reader(_Stream):
    def __init__(self, path: str):
        self._size = int(file_system(path).call("stat", path).length)
        super().__init__(path, "r")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0  # TensorFlow would raise where a file ends before the position
        with self._system.os_errors(self._path):
            block = self._file.read(wanted)
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        if self._position <= self._size:
            with self._system.os_errors(self._path):
                self._file.seek(self._position)
        return self._position


class _Writer(_Stream):
    def __init__(self, path: str, mode: str):
        super().__init__(path, mode)
        self.write(b"")  # makes an empty file, and fails at once where none can be made

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        block = bytes(memoryview(data).cast("B"))
        with self._system.os_errors(self._path):
            self._file.write(block)
        self._position += len(block)
        return len(block)
