"""``ram://`` made to behave as stores do.

TensorFlow's file system in memory takes the beginning of a name for the name (``val`` for
``validation``), and writes at the end of a file that is there already.
"""

from __future__ import annotations

from typing import Any

from astromer.system.storage.remote import FileSystem

_LOOKS = ("exists", "isdir", "stat", "listdir")


class RamFileSystem(FileSystem):
    """Knows whole names only; a new file takes the place of an old one."""

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        path = str(arguments[0])
        if path.startswith("ram://") and operation in _LOOKS and not self._is_known(path):
            if operation in ("exists", "isdir"):
                return False
            raise FileNotFoundError(2, "No such file or directory", path)
        if path.startswith("ram://") and operation == "listdir":
            return self._names(path)
        if operation == "copy" and self._is_old(str(arguments[1])):
            self.call("remove", arguments[1])
        return super().call(operation, *arguments, **options)

    def open(self, path: str, mode: str) -> Any:
        if "w" in mode and self._is_old(path):
            self.call("remove", path)
        return super().open(path, mode)

    def _is_old(self, path: str) -> bool:
        return path.startswith("ram://") and self.call("exists", path)

    def _exists(self, path: str) -> bool:
        return bool(super().call("exists", path))

    def _is_known(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if folder == "ram:/":
            return self._exists(path)
        is_folder = self._is_known(folder) and super().call("isdir", folder)
        return bool(is_folder) and name in self._names(folder)

    def _names(self, folder: str) -> list[str]:
        # Of ``assets`` it tells what is in ``assets.extra``, too.
        found = super().call("listdir", folder)
        return [name for name in found if self._exists(f"{folder}/{name}")]
