"""Checksums are what sha256sum reads, and tell what is not as it was."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from astromer.serving.checksums import (
    CHECKSUMS_FILE,
    DAMAGED,
    UNVERIFIED,
    WHOLE,
    Differences,
    check_undamaged,
    condition,
    verify,
    write_checksums,
)
from astromer.system.errors import DamagedVersionError, ModelError
from tests.astromer.conftest import saved_model

ODD = ("with space", "back\\slash", "line\nbreak", "\N{GREEK SMALL LETTER OMEGA}", ".hidden")


@pytest.fixture
def version(tmp_path):
    made = saved_model(tmp_path / "1")
    for name in ODD:
        (made / name).write_text(name)
    write_checksums(made)
    return made


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_sha256sum_agrees(version) -> None:
    def check() -> int:
        command = ["sha256sum", "--check", "--strict", CHECKSUMS_FILE]
        return subprocess.run(command, cwd=version, capture_output=True).returncode

    assert check() == 0
    assert verify(version) == Differences()
    (version / ODD[2]).write_text("other")
    assert check() == 1


def test_what_is_not_as_it_was_is_named(version) -> None:
    (version / "saved_model.pb").write_text("grapH")
    (version / ODD[1]).unlink()
    (version / "variables" / "new").touch()
    found = verify(version)
    assert found == Differences(("saved_model.pb",), (ODD[1],), ("variables/new",))
    assert found.is_damage
    assert condition(version)[0] == DAMAGED
    with pytest.raises(DamagedVersionError, match="changed: saved_model.pb; missing: back") as told:
        check_undamaged(version)
    assert told.value.exit_code == 13
    assert isinstance(told.value, ModelError)


def test_a_file_that_was_added_harms_nothing(version) -> None:
    (version / "assets.extra" / "tf_serving_warmup_requests").touch()
    assert condition(version) == (WHOLE, "added: assets.extra/tf_serving_warmup_requests")
    assert check_undamaged(version)


def test_a_version_without_checksums_is_told_apart(version) -> None:
    (version / CHECKSUMS_FILE).unlink()
    assert verify(version) is None
    assert condition(version)[0] == UNVERIFIED
    assert check_undamaged(version) is None


@pytest.mark.parametrize("text", ["", "nonsense\n", "0123  saved_model.pb\n", "\x80\n"])
def test_checksums_that_cannot_be_read_are_a_damage(version, text) -> None:
    (version / CHECKSUMS_FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(DamagedVersionError, match="cannot be read"):
        verify(version)
    assert condition(version)[0] == DAMAGED


def test_a_list_that_is_cut_off_at_the_end_of_a_line_is_a_damage(version) -> None:
    lines = (version / CHECKSUMS_FILE).read_text().splitlines(keepends=True)
    [end] = (n for n, line in enumerate(lines) if "variables/variables.index" in line)
    (version / CHECKSUMS_FILE).write_text("".join(lines[:end]))
    with pytest.raises(DamagedVersionError, match=r"truncated: variables/variables\.index"):
        verify(version)
