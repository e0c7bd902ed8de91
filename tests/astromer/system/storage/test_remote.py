"""A remote path does what a local one does: each test runs in a store and on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.system.storage import copy_file, copy_tree, files_in, remove_tree, same_content


@pytest.fixture(params=["disk", "store"])
def folder(request, tmp_path) -> Path:
    return tmp_path if request.param == "disk" else request.getfixturevalue("store")


def test_text_and_bytes(folder: Path) -> None:
    file = folder / "a.txt"
    file.write_text("één\nzwei\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8").splitlines() == ["één", "zwei"]
    with file.open("a", encoding="utf-8") as stream:
        stream.write("drei")
    assert file.read_bytes().endswith(b"\ndrei")
    assert file.stat().st_size == len(file.read_bytes())
    file.write_bytes(b"")
    assert (file.read_bytes(), file.is_file(), file.is_dir()) == (b"", True, False)


def test_reading_anywhere_in_a_file(folder: Path) -> None:
    data = np.random.default_rng(0).bytes(3_000_000)
    (folder / "data").write_bytes(data)
    with (folder / "data").open("rb") as stream:
        for start in (2_999_990, 5, 1_048_570, 3_000_000):
            stream.seek(start)
            assert stream.read(20) == data[start : start + 20]
        stream.seek(-7, 2)
        assert stream.read() == data[-7:]


def test_arrays_and_tables(folder: Path) -> None:
    with (folder / "a.npz").open("wb") as stream:
        np.savez(stream, a=np.arange(300_000), b=np.ones(3))
    with (folder / "a.npz").open("rb") as stream, np.load(stream) as saved:
        assert saved["a"][-1] == 299_999
        assert saved["b"].sum() == 3
    with (folder / "t.parquet").open("wb") as stream:
        pq.write_table(pa.table({"a": [1, 2]}), stream)
    with (folder / "t.parquet").open("rb") as stream:
        assert pq.read_table(stream).to_pydict() == {"a": [1, 2]}


def test_folders(folder: Path) -> None:
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    deep.mkdir(parents=True, exist_ok=True)
    with pytest.raises(FileExistsError):
        deep.mkdir()
    (deep / "0.record").touch()
    (folder / "a" / ".hidden").touch()
    assert sorted(path.name for path in (folder / "a").iterdir()) == [".hidden", "b"]
    assert [path.name for path in deep.glob("*.record")] == ["0.record"]
    assert list((folder / "missing").glob("*")) == []
    assert [path.name for path in folder.rglob("*.record")] == ["0.record"]
    with pytest.raises(OSError, match="not empty"):
        deep.rmdir()
    (deep / "0.record").unlink()
    (deep / "0.record").unlink(missing_ok=True)
    deep.rmdir()
    assert not deep.exists()


def test_a_file_takes_the_place_of_another(folder: Path) -> None:
    (folder / "new").write_text("new")
    (folder / "old").write_text("old")
    assert (folder / "new").replace(folder / "old") == folder / "old"
    assert (folder / "old").read_text() == "new"
    assert not (folder / "new").exists()


def test_failures_are_those_of_a_disk(folder: Path) -> None:
    (folder / "file").touch()
    for error, attempt in (
        (FileNotFoundError, lambda: (folder / "missing").read_text()),
        (FileNotFoundError, lambda: (folder / "missing").stat()),
        (FileNotFoundError, lambda: (folder / "missing").unlink()),
        (FileNotFoundError, lambda: list((folder / "missing").iterdir())),
        (NotADirectoryError, lambda: list((folder / "file").iterdir())),
        (IsADirectoryError, lambda: folder.read_bytes()),
    ):
        with pytest.raises(error) as told:
            attempt()
        assert told.value.strerror
        assert str(folder) in str(told.value.filename)


def test_trees(folder: Path, tmp_path_factory) -> None:
    here = tmp_path_factory.mktemp("here")
    for name in ("saved_model.pb", "variables/index", "assets.extra/deep/w", ".note"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(name)
    copy_tree(here, folder / "one")
    copy_tree(folder / "one", folder / "two")
    copy_tree(folder / "two", here / "back")
    assert files_in(folder / "two") == files_in(folder / "one") == files_in(here / "back")
    assert same_content(folder / "two/variables/index", here / "variables/index")
    copy_file(here / ".note", folder / "two/variables/index")
    assert not same_content(folder / "two/variables/index", here / "variables/index")
    remove_tree(folder / "one")
    remove_tree(folder / "one")
    assert [path.name for path in folder.iterdir()] == ["two"]


def test_a_model_is_whole_or_no_model_at_any_moment(store, tmp_path, monkeypatch) -> None:
    from astromer.system import storage

    for name in ("saved_model.pb", "variables/index", "z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    seen = []
    copy = storage.copy_file

    def watched(source: Path, target: Path) -> None:
        seen.append((store / "1" / "saved_model.pb").exists())
        copy(source, target)

    monkeypatch.setattr(storage, "copy_file", watched)
    copy_tree(tmp_path, store / "1")
    assert seen == [False] * 3
    assert (store / "1" / "saved_model.pb").exists()
