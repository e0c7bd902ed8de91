"""Google Cloud Storage through TensorFlow's own client."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.folds import write_fold
from tests.standins.google import Google

_CODE = """
import json, sys
from astromer.records.fold import Fold
from astromer.system.storage import as_path
from astromer.system.storage import copy_tree, files_in, remove_tree

fold, there = sys.argv[1:]
copy_tree(as_path(fold), as_path(there))
print(json.dumps(sorted(map(str, files_in(as_path(there))))))
print(Fold.open(there).content_fingerprint() == Fold.open(fold).content_fingerprint())
one, other = as_path(there) / "one", as_path(there) / "other"
one.write_text("x" * 5000)
one.replace(other)
print(other.read_text() == "x" * 5000, one.exists(), other.stat().st_size)
remove_tree(as_path(there))
print(as_path(there).exists())
"""


@pytest.mark.slow
def test_files_and_folders_come_and_go(toy, tmp_path: Path) -> None:
    fold = write_fold(tmp_path / "fold")
    with Google(tmp_path) as google:
        done = toy.python("-c", _CODE, str(fold), "gs://bucket/fold", env=google.environment)
    assert done.returncode == 0, done.stderr
    names = '["test/0.record", "train/0.record", "validation/0.record"]'
    assert done.stdout.splitlines() == [names, "True", "True False 5000", "False"]
