"""Small files that are not small, not text, or nested without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from astromer.system.small_files import MOST_TOML_BYTES, parse_json, read_json, read_text, read_toml


def test_what_is_too_large_is_not_taken_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of zeros that takes no room
    for read in (read_toml, read_json, read_text):
        with pytest.raises(ValueError, match="more than"):
            read(path)
    path.write_text("#" * MOST_TOML_BYTES)
    assert read_toml(path) == {}


@pytest.mark.parametrize(
    "text", ["x=" + "[" * 100_000, "a." * 100_000 + "a=1", "x=" + "{a=" * 80_000]
)
def test_nested_toml_is_an_error_of_its_own(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ValueError, match=r"nested|more than"):
        read_toml(tmp_path / "config.toml")


def test_nested_json_is_an_error_of_its_own() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * 1_000_000)
    assert parse_json('{"a": [1]}') == {"a": [1]}


def test_other_encodings_are_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'"\xff"')
    with pytest.raises(ValueError, match="utf-8"):
        read_json(tmp_path / "a.json")
