"""Parquet files that carry code, lie about their rows or hold no text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.records.sources import tables as parquet
from astromer.records.sources.metadata import load_metadata
from astromer.records.sources.tables import open_parquet, open_table
from astromer.records.survey_config import default_config
from astromer.system.errors import RecordError

ROOT = Path(__file__).resolve().parents[3]
_EVIL = """
import os, sys, pyarrow as pa, pyarrow.parquet as pq
class Evil(pa.PyExtensionType):
    def __init__(self):
        super().__init__(pa.int64())
    def __reduce__(self):
        return os.mkdir, (sys.argv[2],)
column = pa.ExtensionArray.from_storage(Evil(), pa.array([1]))
pq.write_table(pa.table({"newID": column}), sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(pa, "PyExtensionType"), reason="pyarrow has no pickled types")
def test_a_pickle_in_a_file_is_not_loaded(tmp_path: Path) -> None:
    path, made = tmp_path / "metadata.parquet", tmp_path / "made"
    subprocess.run([sys.executable, "-c", _EVIL, str(path), str(made)], check=True)
    with pytest.raises(RecordError, match=r"metadata\.parquet.*pickled Python code"):
        open_parquet(path)
    reader = "import sys; from pathlib import Path;import astromer"
    subprocess.run(
        [sys.executable, "-c", f"{reader}\nastromer.read(Path(sys.argv[1]))", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert not made.exists()


def test_texts_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "metadata.parquet"
    content = pa.array([b"\xa5\xff", b"b"])
    names = pa.StringArray.from_buffers(2, content.buffers()[1], content.buffers()[2])
    pq.write_table(pa.table({"newID": [1, 2], "ID": names}), path)
    with pytest.raises(RecordError, match=r"metadata\.parquet is damaged.*UTF8"):
        open_table(path).read(["ID"])
    config = default_config(tmp_path).with_context({"newID": "integer", "ID": "string"}, "newID")
    with pytest.raises(RecordError, match=r"metadata\.parquet is damaged.*UTF8"):
        load_metadata(config, path)


def test_more_rows_than_can_be_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metadata.parquet"
    pq.write_table(pa.table({"newID": pa.array([7] * 1_000_000)}), path)
    with pytest.raises(RecordError, match=r"metadata\.parquet is read as a whole.*1,000,000 rows"):
        open_table(path).read([])
    monkeypatch.setattr(parquet, "ROWS_PER_BYTE", 10_000)
    assert open_table(path).read([]).num_rows == 1_000_000
