"""Damage to files is as small as it says."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tools.faults.flip import cut, draw_file, flip


def test_one_bit_flips_and_times_stay(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(100))
    os.utime(file, (1, 1))
    told = flip(file, Random(1))
    assert sum(bin(byte).count("1") for byte in file.read_bytes()) == 1
    assert (file.stat().st_size, file.stat().st_mtime) == (100, 1)
    assert "bit" in told


def test_a_cut_file_is_shorter(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(100))
    assert "cut off" in cut(file, Random(2))
    assert file.stat().st_size < 100


def test_empty_files_are_not_drawn(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(FileNotFoundError):
        draw_file(tmp_path, ("*",), Random(1))
    (tmp_path / "full").write_text("x")
    assert draw_file(tmp_path, ("*",), Random(1)).name == "full"
