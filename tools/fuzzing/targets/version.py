"""A pushed version's checksums, the alias and the history of a folder of versions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from astromer.serving.checksums import CHECKSUMS_FILE, digest, verify
from astromer.serving.saved_model import read_facts, try_read_config
from astromer.serving.versions.folder import KEPT, latest_version
from astromer.serving.versions.promotion import HISTORY_FILE, earlier, read_alias_history
from tools.fuzzing.choices import Choices
from tools.fuzzing.target import Target, allowed, require


def check(data: bytes, folder: Path) -> None:
    """Checksums say of every file whether it is as it was, or are refused."""
    version = folder / "7"
    (version / "assets.extra").mkdir(parents=True)
    (folder / KEPT).mkdir()
    (version / "saved_model.pb").write_bytes(b"x")
    choices = Choices(data)
    name = choices.one_of((f"7/{CHECKSUMS_FILE}", "latest", f"{KEPT}/{HISTORY_FILE}", _CARD))
    (folder / name).write_bytes(choices.rest())
    found = allowed(lambda: verify(version), version)
    if found is not None and not found:
        stated = (version / CHECKSUMS_FILE).read_text()
        require(digest(version / "saved_model.pb") in stated, "an unknown file counts as verified")
    latest = allowed(lambda: latest_version(folder), folder)
    if latest is not None:
        require(latest == version, "another version was found")
    earlier(read_alias_history(folder), "7")
    require(isinstance(read_facts(version), dict), "facts must be a mapping")
    require(isinstance(try_read_config(version), dict), "settings must be a mapping")


_CARD = "7/assets.extra/card.json"


def seeds() -> Iterable[bytes]:
    """Files as they are written."""
    sums = b"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  saved_model.pb\n"
    history = b'[{"action": "push", "before": null, "after": "7", "time": 1.5, "done": true}]'
    return [b"\0" + sums, b"\0\\" + sums, b"\1" + b"7\n", b"\2" + history, b'\3{"a": [1]}']


TARGET = Target("version", "checksums, alias, history and card of versions", check, seeds)
