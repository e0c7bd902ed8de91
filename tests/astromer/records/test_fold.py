from __future__ import annotations

import gzip
import os
import subprocess
import sys

import pytest

from astromer.errors import DataNotFoundError, RecordError
from astromer.records.fold import Fold, compression_of


def test_files_are_found_by_split_in_natural_order(tmp_path, make):
    make.fold(tmp_path, ("train", "val", "test"))
    for name in ("2.record", "10.record", "1.tfrecord"):
        make.records(tmp_path / "train" / name, [make.record()])
    (tmp_path / "train" / "config.toml").write_text("")
    (tmp_path / "train" / "3.record").touch()  # an empty shard is no harm
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

    assert "no data folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "is a file" in refusal(tmp_path / "file")
    assert "create_records" in refusal(tmp_path)
    (tmp_path / "raw" / "light_curves").mkdir(parents=True)
    assert f"create_records --data {tmp_path / 'raw'}" in refusal(tmp_path / "raw")
    fold = make.fold(tmp_path / "records" / "fold_0")
    assert str(fold) in refusal(tmp_path / "records")
    assert str(fold) in refusal(fold / "train")
    (fold / "test" / "0.record").write_bytes(b"")
    assert f"in {fold / 'test'} are empty (0 bytes)" in refusal(fold)
    (fold / "test" / "0.record").unlink()
    assert "no record files" in refusal(fold)
    (fold / "test").rmdir()
    assert "test/" in refusal(fold)
    (fold / "val").mkdir()
    assert "both validation/ and val/" in refusal(fold)


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
        (gzip.compress(b"newID,mjd,mag\n1,2,3\n"), "not a TFRecord"),
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
