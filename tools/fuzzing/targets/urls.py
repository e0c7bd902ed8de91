"""URLs of metadata databases, paths of stores and options of Beam."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from astromer.system.storage import RemotePath, as_path
from pipeline.beam_options import read_beam_options
from pipeline.local.metadata import metadata_database
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, allowed, require

_SECRET = "hunter2"
_PIECES = (
    *("postgresql", "mysql", "sqlite", "://", "/", ":", "@", "?", "#", "[", "]", "%2F", "%", "&"),
    *("sslmode=", "require", "host", "localhost", "5432", "99999", "me", "..", "//", "gs", "s3"),
    *("file", "hdfs", "\0", " ", "--runner=", "DataflowRunner", "FlinkRunner", "--flink_master="),
    *("StatisticsGen:", "--project=p", "'", '"', "\\", "--direct_num_workers=", "²", "0", "-1"),
)


def check(data: bytes, folder: Path) -> None:
    """A text names a database, a path or options, or is refused without its password."""
    choices = Choices(data)
    words = []
    for _ in range(choices.below(14)):
        words.append(choices.text(8) if choices.below(6) == 5 else choices.one_of(_PIECES))
    text = "".join(words)
    _check_database(text, folder)
    scheme = choices.one_of(("postgresql", "mysql"))
    _check_database(f"{scheme}://me:{_SECRET}{text}@host/{text}", folder)
    _check_database(f"{scheme}://me:{_SECRET}@host{text}", folder)
    allowed(lambda: _check_place(text))  # one with a password is refused
    allowed(lambda: read_beam_options([text]), "--beam")
    allowed(lambda: read_beam_options(["StatisticsGen: " + text]), "--beam")


def _check_place(text: str) -> None:
    path = as_path(text)
    if isinstance(path, RemotePath):
        require(as_path(str(path)) == path, f"{path} is another path when it is read again")
        require(".." not in path.resolve().parts[2:], "a path leads out of its bucket")


def _check_database(url: str, folder: Path) -> None:
    def told() -> None:
        try:
            found = metadata_database(url, folder, {})
        except Exception as error:
            require(_SECRET not in str(error), f"a password was shown: {error}")
            raise
        shown = f"{found} {found!r}"
        hidden = not found.is_server or not found.password or found.password not in shown
        own = (found.user, found.host, found.name, str(found.port))
        require(hidden or any(found.password in part for part in own), "a password was shown")

    allowed(told, "--metadata")


def seeds() -> Iterable[bytes]:
    """URLs in pieces."""
    return [b"", bytes([6, 0, 0, 0, 3, 0, 16, 0, 4, 0, 20]), bytes(range(60)), bytes(60)]


TARGET = Target("urls", "URLs of databases and stores, options of Beam", check, seeds, longest=256)
