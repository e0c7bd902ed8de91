from __future__ import annotations

import gzip
import os
import subprocess
import sys

import pytest

from astromer.records.fold import Fold
from astromer.records.framing import compression_of
from astromer.system.errors import DataNotFoundError, RecordError


def test_files_are_found_by_split_in_natural_order(tmp_path, make):
    make.fold(tmp_path, ("train", "val", "test"))
    for name in ("2.record", "10.record", "1.tfrecord"):
        make.records(tmp_path / "train" / name, [make.record()])
    (tmp_path / "train" / "config.toml").write_text("")
    (tmp_path / "train" / "._0.record").write_bytes(b"\0\5\x16\7")  # a Mac's notes
    fold = Fold.open(str(tmp_path))
    assert [f.name for f in fold.files["train"]] == [
        "0.record",
        "1.tfrecord",
        "2.record",
        "10.record",
    ]
    assert fold.files["validation"] == (tmp_path / "val" / "0.record",)
    assert fold.config_path == tmp_path / "train" / "config.toml"


def test_missing_things_are_named_with_what_to_do(tmp_path, make):
    def refusal(path):
        with pytest.raises(DataNotFoundError) as caught:
            Fold.open(path)
        return str(caught.value)

    assert "does not exist" in refusal(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "is a file" in refusal(tmp_path / "file")
    assert "create_records" in refusal(tmp_path)
    (tmp_path / "raw" / "light_curves").mkdir(parents=True)
    assert f"create_records --data {tmp_path / 'raw'}" in refusal(tmp_path / "raw")
    fold = make.fold(tmp_path / "records" / "fold_0")
    assert str(fold) in refusal(tmp_path / "records")
    assert str(fold) in refusal(fold / "train")
    (fold / "test" / "0.record").write_bytes(b"")
    assert f"in {fold / 'test'} are empty" in refusal(fold)
    (fold / "test" / "0.record").unlink()
    assert "no record files" in refusal(fold)
    (fold / "test").rmdir()
    assert "test/" in refusal(fold)
    (fold / "val").mkdir()
    assert "both validation/ and val/" in refusal(fold)


@pytest.mark.parametrize("name", ["1.RECORD", "1.TFRecord.gz", "1.tfrecords", "a.records"])
def test_other_spellings_of_the_suffix_are_understood(tmp_path, make, name):
    make.fold(tmp_path)
    file = make.records(tmp_path / "train" / name, [make.record()])
    assert file in Fold.open(tmp_path).files["train"]


def test_a_set_of_shards_must_be_complete(tmp_path, make):
    make.fold(tmp_path)
    (tmp_path / "test" / "0.record").unlink()
    for number in (0, 2):
        name = f"data.tfrecord-{number:05d}-of-00003.gz"
        make.records(tmp_path / "test" / name, [make.record()], "GZIP")
    with pytest.raises(DataNotFoundError, match="2 of the 3 files .* number 00001 is missing"):
        Fold.open(tmp_path)
    make.records(tmp_path / "test" / "data.tfrecord-00001-of-00003.gz", [make.record()])
    assert len(Fold.open(tmp_path).files["test"]) == 3


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_file_beside_others_may_be_a_loss(tmp_path, make, content):
    make.fold(tmp_path)
    (tmp_path / "train" / "1.record").write_bytes(content)
    with pytest.raises(RecordError, match=r"train/1\.record is empty"):
        Fold.open(tmp_path)


def test_what_is_called_a_record_file_and_is_none_is_refused(tmp_path, make):
    make.fold(tmp_path)
    there = tmp_path / "train" / "1.record"
    there.symlink_to("nowhere")
    with pytest.raises(DataNotFoundError, match=r"1\.record is a link to nothing"):
        Fold.open(tmp_path)
    there.unlink()
    there.mkdir()
    with pytest.raises(RecordError, match=r"1\.record is a folder"):
        Fold.open(tmp_path)
    there.rmdir()
    os.mkfifo(there)
    with pytest.raises(RecordError, match=r"1\.record is no regular file"):
        Fold.open(tmp_path)


@pytest.mark.parametrize(
    ("given", "meant"), [("TEST", "test"), ("testing", "test"), ("Val", "val"), ("valid", "val")]
)
def test_folders_that_are_nearly_named_right_are_pointed_at(tmp_path, make, given, meant):
    make.fold(tmp_path)
    (tmp_path / ("test" if meant == "test" else "validation")).rename(tmp_path / given)
    with pytest.raises(DataNotFoundError, match=f"Rename {given}/ to {meant}"):
        Fold.open(tmp_path)


def test_what_the_system_refuses_is_one_line(tmp_path):
    with pytest.raises(DataNotFoundError, match="cannot be read: File name too long"):
        Fold.open(tmp_path / ("x" * 300))


def test_gzip_is_told_by_the_bytes_not_the_name(tmp_path, make):
    make.fold(tmp_path)
    packed = make.records(tmp_path / "train" / "1.record", [make.record()], "GZIP")
    assert packed in Fold.open(tmp_path).files["train"]
    assert compression_of(packed) == "GZIP"
    assert compression_of(tmp_path / "train" / "0.record") == ""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"newID,mjd,mag\n1,2,3\n", "not a TFRecord"),
        (b"short", "not a TFRecord"),
        (gzip.compress(b"newID,mjd,mag\n1,2,3\n", mtime=0), "not a TFRecord"),
        (b"\x1f\x8bnonsense", "damaged gzip"),
        ("cut", "cut off"),
    ],
)
def test_foreign_files_are_refused_by_name_without_a_dump(tmp_path, make, content, expected):
    make.fold(tmp_path)
    file = tmp_path / "validation" / "0.record"
    file.write_bytes(file.read_bytes()[:40] if content == "cut" else content)
    with pytest.raises(RecordError, match=expected) as caught:
        Fold.open(tmp_path)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_fingerprint_follows_the_files(tmp_path, make):
    make.fold(tmp_path)
    before = Fold.open(tmp_path).fingerprint()
    assert Fold.open(tmp_path).fingerprint() == before
    os.utime(tmp_path / "test" / "0.record", ns=(1, 1))
    touched = Fold.open(tmp_path).fingerprint()
    assert touched != before
    os.rename(tmp_path / "test" / "0.record", tmp_path / "test" / "1.record")
    assert Fold.open(tmp_path).fingerprint() != touched


def test_opening_a_fold_needs_the_standard_library_only():
    code = (
        "import sys, astromer.records.fold\n"
        "heavy = {'tensorflow', 'numpy', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=os.getcwd())
