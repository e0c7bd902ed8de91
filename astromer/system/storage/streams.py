"""Python streams over files in a store."""

from __future__ import annotations

import errno
import io
import os
from typing import Any, BinaryIO, cast

from astromer.system.storage.gfile import file_system

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
