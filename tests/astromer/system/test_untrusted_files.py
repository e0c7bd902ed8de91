"""Small files that are not small, not text, or nested without end."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from astromer.system.untrusted_files import (
    MOST_TOML_BYTES,
    READ_ERRORS,
    parse_json,
    read_arrays,
    read_json,
    read_text,
    read_toml,
)


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


def header(shape: str, kind: str = "<f4", version: int = 1) -> bytes:
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2, "little") + text.encode()


def archive(path: Path, compression: int = zipfile.ZIP_STORED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def test_what_numpy_saves_is_read_alike(tmp_path: Path) -> None:
    arrays = {
        "a/b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "c": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "text": np.array("é"),
        "none": np.empty((0, 4)),
        "big": np.array([1, 2], ">i8"),
    }
    with (tmp_path / "a.npz").open("wb") as file:
        np.savez(file, **arrays)
    found = read_arrays(tmp_path / "a.npz")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    found["a/b"][0] = 7  # they can be written to, as NumPy's can


@pytest.mark.parametrize(
    "content",
    [
        header("(1000000000000,)") + b"\0" * 8,
        header("(-1,)") + b"\0" * 4,
        header("(4294967296, 4294967296)"),
        header("(2,)") + b"\0" * 12,
        header("(1,)", "|O") + pickle.dumps([1]),
        header("(9,)", "|V0"),
        header("(", "<f4"),
        header("(1,)", "nothing") + b"\0" * 4,
        header("(1,)", version=9) + b"\0" * 4,
        b"",
    ],
)
def test_a_member_that_lies_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(READ_ERRORS):
        read_arrays(archive(tmp_path / "a.npz", x=content))


def test_bombs_and_repeats_are_refused(tmp_path: Path) -> None:
    zeros = header("(4000000,)") + bytes(16_000_000)
    with pytest.raises(ValueError, match="compressed"):
        read_arrays(archive(tmp_path / "a.npz", zipfile.ZIP_DEFLATED, x=zeros))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("x.npy", header("(1,)") + bytes(4))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("x.npy", header("(1,)") + bytes(4))
    (tmp_path / "b.npz").write_bytes(sink.getvalue())
    with pytest.raises(ValueError, match="twice"):
        read_arrays(tmp_path / "b.npz")


def test_many_entries_of_one_member_claim_more_than_there_is(tmp_path: Path) -> None:
    content = header("(1000,)") + bytes(4000)
    path = archive(tmp_path / "a.npz", x=content)
    with zipfile.ZipFile(path, "a") as file:
        for number in range(50):
            again = zipfile.ZipInfo(f"y{number}.npy")
            again.header_offset, again.CRC = 0, file.infolist()[0].CRC
            again.file_size = again.compress_size = len(content)
            file.filelist.append(again)
        file._didModify = True
    with pytest.raises(ValueError, match="claims more bytes than it has"):
        read_arrays(path)
