"""Puts finished folders in place all at once, so that nobody reads half of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from astromer.system.atomic import published, scratch_folder
from astromer.system.errors import UsageError
from astromer.system.storage import RemotePath


@contextmanager
def publish(folders: list[Path], *, overwrite: bool = False) -> Iterator[list[Path]]:
    """Temporary folders that take the place of ``folders`` when the block ends well.

    All folders must have the same parent. Where the block raises, nothing is left behind
    and what was there before stays.

    Raises:
        UsageError: one of the folders has something in it and ``overwrite`` is false, or the
            parent cannot be written to.
    """
    for folder in folders:
        refuse_existing(folder, overwrite)
    parent = folders[0].parent
    stored = [folder for folder in folders if isinstance(folder, RemotePath)]
    if stored:
        try:
            with published(stored) as news:
                yield news
        except OSError as error:
            raise _not_writable(parent, error) from None
        return
    with ExitStack() as made:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            unfinished = made.enter_context(scratch_folder(parent, ".unfinished-"))
        except OSError as error:
            raise _not_writable(parent, error) from None
        try:
            news = [unfinished / folder.name for folder in folders]
            for new in news:
                new.mkdir()
            yield news
            for number, (new, folder) in enumerate(zip(news, folders, strict=True)):
                if folder.exists():
                    os.replace(folder, unfinished / f".replaced-{number}")
                os.replace(new, folder)
        except OSError as error:
            raise _not_writable(parent, error, " Nothing was kept.") from None


def refuse_existing(folder: Path, overwrite: bool) -> None:
    """Raises UsageError where a folder has something in it that must not be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a folder that does not exist yet.")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} exists already and is not empty. Give another folder, or --overwrite to "
            "replace it."
        )


def _not_writable(folder: Path, error: OSError, more: str = "") -> UsageError:
    return UsageError(
        f"--output must be a folder that can be written to. Received: {folder} "
        f"({error.strerror or error}).{more} Mend it, or choose another one."
    )
