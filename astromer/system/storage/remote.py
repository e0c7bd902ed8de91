"""A path in a store: pathlib's methods, which call TensorFlow's file systems.

TensorFlow, TFX and Beam open the same paths, so only its file systems will do: etils.epath knows
a fixed list of schemes (no hdfs, and no ram for the tests), universal-pathlib has drivers and
credentials of its own.
"""

from __future__ import annotations

import errno
import fnmatch
import io
import os
import posixpath
import stat
import sys
from collections.abc import Generator
from pathlib import PosixPath, PurePath, PurePosixPath
from typing import IO, Any, NoReturn

from astromer.system.storage.gfile import file_system, open_stream

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
