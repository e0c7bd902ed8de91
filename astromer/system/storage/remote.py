"""A path in a store: pathlib's methods, which call TensorFlow's file systems.

These are loaded late, are checked for the scheme, and fail with OSErrors. TensorFlow, TFX and Beam
open the same paths, so only they will do: etils.epath knows a fixed list of schemes (no hdfs, and
no ram for the tests), universal-pathlib has drivers and credentials of its own.
"""

from __future__ import annotations

import errno
import fnmatch
import functools
import importlib
import io
import os
import posixpath
import stat
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import PosixPath, PurePath, PurePosixPath
from typing import IO, Any, BinaryIO, NoReturn, cast

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


_NO_HOST = "::"
"""Ends the first part of a path without a host, as ``hdfs:///user``; others end with ``:``."""
_SLASHES = ("gs",)
"""Stores whose folders end with a slash where TensorFlow lists them."""


class RemotePath(PosixPath):
    """A path such as ``gs://bucket/folder/file``.

    It has those methods of :class:`pathlib.Path` that the project uses, with their OSErrors. Other
    methods, and functions that expect a local path, raise TypeError instead of making a local
    folder called ``gs:``.

    Object stores have no folders of their own: a folder exists as soon as a file is in it, and
    renaming one would mean copying it, so only files can be renamed.
    """

    def __new__(cls, *parts: Any) -> RemotePath:
        return super().__new__(cls, *_segments(*parts))  # type: ignore[return-value]

    if sys.version_info >= (3, 12):  # there ``__init__`` takes the parts, before in ``__new__``

        def __init__(self, *parts: Any) -> None:
            super().__init__(*_segments(*parts))

    def __str__(self) -> str:
        if not self.parts:
            return "."  # the last of ``parents``
        scheme = self.parts[0]
        slashes = "///" if scheme.endswith(_NO_HOST) else "//"
        return scheme.rstrip(":") + ":" + slashes + "/".join(self.parts[1:])

    def __fspath__(self) -> str:
        raise TypeError(f"{self} is not on this machine: use its methods, or str() for TensorFlow")

    def __repr__(self) -> str:
        return f"RemotePath({str(self)!r})"

    @property
    def scheme(self) -> str:
        """For instance ``gs``."""
        return self.parts[0].rstrip(":")

    def as_posix(self) -> str:
        return str(self)

    def relative_to(self, *other: Any) -> PurePosixPath:  # type: ignore[override]
        """The rest of the path after a folder; raises ValueError if it is not in that folder."""
        folder = other[0] if isinstance(other[0], PurePath) else RemotePath(other[0])
        length = len(folder.parts)
        if self.parts[:length] != folder.parts:
            raise ValueError(f"{self} does not lie in {folder}")
        return PurePosixPath(*self.parts[length:])

    def is_relative_to(self, *other: Any) -> bool:  # type: ignore[override]
        try:
            self.relative_to(*other)
        except ValueError:
            return False
        return True

    def is_absolute(self) -> bool:
        return True

    def absolute(self) -> RemotePath:
        return self

    def expanduser(self) -> RemotePath:
        return self

    def resolve(self, strict: bool = False) -> RemotePath:
        """The path without ``..``, which does not lead out of a bucket; stores have no links."""
        kept = 1 if self.parts[0].endswith(_NO_HOST) else 2
        rest = posixpath.normpath("/" + "/".join(self.parts[kept:])).lstrip("/")
        return RemotePath(*self.parts[:kept], *([rest] if rest else []))

    def exists(self) -> bool:
        return bool(self._ask("exists"))

    def is_dir(self) -> bool:
        return bool(self._ask("isdir"))

    def is_file(self) -> bool:
        try:
            return not self._ask("stat").is_directory
        except FileNotFoundError:
            return False

    def is_symlink(self) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """File type, size and time of the last change; 0 for what the store does not keep."""
        found = self._ask("stat")
        kind, changed = stat.S_IFDIR if found.is_directory else stat.S_IFREG, int(found.mtime_nsec)
        times = {"st_mtime": changed / 1e9, "st_mtime_ns": changed}
        fields = (kind, 0, 0, 0, 0, 0, int(found.length), 0, changed // 10**9, 0)
        return os.stat_result(fields, times)

    def iterdir(self) -> Generator[RemotePath, None, None]:
        """Files and folders in a folder.

        Raises:
            FileNotFoundError, NotADirectoryError: it is none.
        """
        if not self.is_dir():
            raise _error(errno.ENOTDIR if self.exists() else errno.ENOENT, self)
        for name in self._ask("listdir"):
            if name := name.strip("/"):  # some stores end folders with a slash
                yield self / name

    def scan(self) -> list[tuple[RemotePath, bool]]:
        """The paths of :meth:`iterdir`, each with whether it is a folder, in few requests."""
        if self.scheme in _SLASHES and self.is_dir():
            names = self._ask("listdir")
            return [(self / name.strip("/"), name.endswith("/")) for name in names if name != "/"]
        return [(path, path.is_dir()) for path in self.iterdir()]

    def glob(self, pattern: str) -> Generator[RemotePath, None, None]:
        """Files and folders in a folder whose name fits a pattern without slashes."""
        if "/" in pattern or "**" in pattern:
            raise NotImplementedError(f"patterns of one name, not {pattern}")
        if self.is_dir():
            yield from (path for path in self.iterdir() if _fits(path.name, pattern))

    def rglob(self, pattern: str) -> Generator[RemotePath, None, None]:
        """Files and folders at any depth whose name fits a pattern without slashes."""
        try:
            found = self.scan()
        except (FileNotFoundError, NotADirectoryError):
            return
        for path, is_folder in found:
            if _fits(path.name, pattern):
                yield path
            if is_folder:
                yield from path.rglob(pattern)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Makes the folder and those around it."""
        if self.exists() and not (exist_ok and self.is_dir()):
            raise _error(errno.EEXIST, self)
        self._ask("makedirs")

    def rmdir(self) -> None:
        """Removes an empty folder."""
        if any(self.iterdir()):
            raise _error(errno.ENOTEMPTY, self)
        self._ask("rmtree")

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes a file."""
        try:
            self._ask("remove")
        except FileNotFoundError:
            if not missing_ok:
                raise

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Opens the file to read ("r"), write ("w") or append ("a") text, or bytes ("b").

        Most stores keep what is written when the file is closed, all of it or nothing.
        """
        stream = open_stream(str(self), mode.replace("b", "").replace("t", ""))
        if "b" in mode:
            return stream
        return io.TextIOWrapper(stream, encoding or "utf-8", errors, newline)

    def rename(self, target: Any) -> RemotePath:
        """Renames a file, and replaces the one of that name.

        Raises:
            IsADirectoryError: it is a folder, which could not be renamed at once.
        """
        if self.is_dir():
            raise _error(errno.EISDIR, self)
        file_system(str(self)).call("rename", str(self), str(target), overwrite=True)
        return RemotePath(str(target))

    def replace(self, target: Any) -> RemotePath:
        return self.rename(target)

    def touch(self, mode: int = 0o666, exist_ok: bool = True) -> None:
        if not self.exists():
            self.write_bytes(b"")

    def samefile(self, other_path: Any) -> bool:
        return str(self) == str(other_path)

    def chmod(self, mode: int, *, follow_symlinks: bool = True) -> NoReturn:
        raise NotImplementedError("permissions of a store are set in the store")

    def _ask(self, operation: str) -> Any:
        return file_system(str(self)).call(operation, str(self))


def _segments(first: Any, *others: Any) -> tuple[Any, ...]:
    """``gs://bucket/a`` as ``gs:`` and ``bucket/a``, whose first part pathlib leaves alone."""
    scheme, found, rest = str(first).partition("://")
    if not found:  # parts of another remote path, as pathlib, copy and pickle give them
        return (first, *others)
    host = _NO_HOST if rest.startswith("/") else ":"
    return (scheme.lower() + host, rest.lstrip("/"), *others)


def _error(number: int, path: RemotePath) -> OSError:
    """The kind of OSError that the number stands for."""
    return OSError(number, os.strerror(number), str(path))


def _fits(name: str, pattern: str) -> bool:
    """As in pathlib, ``*`` matches hidden names, too."""
    return fnmatch.fnmatchcase(name, pattern)
