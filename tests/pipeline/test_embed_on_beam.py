"""The workers of ``embed --beam`` make the rows of ``embed``, whatever happens to them."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem

from astromer.commands.embed import embed, parse
from astromer.light_curves import LightCurve
from astromer.serving.export import export_saved_model
from astromer.system.errors import (
    AstromerError,
    DataAnomalyError,
    DataNotFoundError,
    OutputLockedError,
    RecordError,
    UsageError,
)
from astromer.system.storage.lock import locked
from pipeline import embed_on_beam
from pipeline.embedding_job import JOB, MANIFEST, run
from tests.conftest import ROOT
from tests.pipeline.folds import encode, make_curves, older, write_fold, write_records
from tests.standins.processes import descendants, works

IN_MEMORY = "--runner=DirectRunner"
TWO = "--direct_running_mode=multi_processing --direct_num_workers=2"


class Store(LocalFileSystem):
    """Folders of this machine as ``toy://``, a file system that Beam alone knows."""

    @classmethod
    def scheme(cls) -> str:
        return "toy"

    def _here(self, path: str) -> str:
        return path.removeprefix("toy:/")

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath, *paths])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def has_dirs(self) -> bool:
        return False

    def mkdirs(self, path: str) -> None:
        super().mkdirs(self._here(path))

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        for found in Path(self._here(dir_or_prefix)).parent.rglob("*"):
            if found.is_file():
                yield FileMetadata(f"toy:/{found}", found.stat().st_size)

    def create(self, path: str, *arguments: Any, **options: Any) -> Any:
        return super().create(self._here(path), *arguments, **options)

    def open(self, path: str, *arguments: Any, **options: Any) -> Any:
        return super().open(self._here(path), *arguments, **options)

    def rename(self, sources: list[str], targets: list[str]) -> None:
        super().rename([*map(self._here, sources)], [*map(self._here, targets)])

    def exists(self, path: str) -> bool:
        return super().exists(self._here(path))

    def delete(self, paths: list[str]) -> None:
        super().delete([*map(self._here, paths)])


@pytest.fixture(scope="module")
def model(toy, tmp_path_factory) -> str:
    return str(export_saved_model(toy.model(), tmp_path_factory.mktemp("model") / "astromer" / "1"))


@pytest.fixture(scope="module")
def fold(tmp_path_factory) -> Path:
    """Light curves of which some cannot be embedded."""
    few, holes, *good = make_curves(30)
    few = dataclasses.replace(few, mjd=few.mjd[:3], mag=few.mag[:3], errmag=few.errmag[:3])
    holes = dataclasses.replace(holes, mag=np.full_like(holes.mag, np.nan))
    unequal = dataclasses.replace(good[3], id="unequal", mag=good[3].mag[:-2])
    folder = write_fold(tmp_path_factory.mktemp("fold"), train=[*good[:3], few, *good, holes])
    write_records(folder / "test" / "1.record.gz", [older(unequal), encode(good[0])], "GZIP")
    return folder


def job(model: str, data: Path, out: Path, *more: str) -> tuple[Any, ...]:
    """The arguments of :func:`run`: in this process, on one thread."""
    words = ["--data", str(data), "--model", model, "--out", str(out), "--bs", "4", *more]
    return parse([*words, "--beam", IN_MEMORY]), (IN_MEMORY,), model, str(out)


def rows_of(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(file) for file in sorted(folder.glob("*.parquet"))])


def local_rows(model: str, data: Path, out: Path, *more: str) -> pa.Table:
    words = ["--data", str(data), "--model", model, "--out", str(out), "--bs", "4", *more]
    return pq.read_table(embed(parse(words)))


def assert_same_rows(found: pa.Table, expected: pa.Table) -> None:
    """All columns, and vectors to 1e-6 of their length."""
    assert found.schema.remove_metadata() == expected.schema.remove_metadata()
    for name in expected.column_names:
        if not pa.types.is_list(expected.schema.field(name).type):
            mine, theirs = (t.column(name).to_pandas() for t in (found, expected))
            assert mine.equals(theirs), name
            continue
        mine, theirs = (np.array(t.column(name).to_pylist()) for t in (found, expected))
        scale = np.maximum(np.linalg.norm(theirs, axis=1, keepdims=True), 1)
        np.testing.assert_allclose(mine / scale, theirs / scale, rtol=0, atol=1e-6)


def test_rows_are_those_of_the_local_command(model, fold, tmp_path):
    made = run(*job(model, fold, tmp_path / "out", "--shard-curves", "8"))
    found, expected = rows_of(tmp_path / "out"), local_rows(model, fold, tmp_path / "local.parquet")
    assert_same_rows(found, expected)
    assert {0, 1, 2} <= set(found.column("status").to_pylist())
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert made["rows"] == manifest["rows"] == len(expected)
    assert made["width"] == 8
    assert sum(shard["rows"] for shard in manifest["shards"]) == len(expected)
    assert [shard["file"] for shard in manifest["shards"]] == sorted(
        path.name for path in (tmp_path / "out").glob("*.parquet")
    )
    assert manifest["statuses"]["0"] == found.column("status").to_pylist().count(0)
    # What every reader of a folder of Parquet does.
    assert len(pq.read_table(tmp_path / "out")) == len(expected)


def test_what_is_whole_is_not_made_again(model, fold, tmp_path):
    arguments = job(model, fold, tmp_path, "--shard-curves", "8")
    first = run(*arguments)
    assert first["new"] == first["shards"] > 4
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    lost, damaged, *kept = before
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-9])
    (tmp_path / f".{lost.name}.1.partial").touch()
    (tmp_path / MANIFEST).unlink()
    assert run(*arguments)["new"] == 2
    assert all(path.stat().st_mtime_ns == before[path] for path in kept)
    assert not list(tmp_path.glob(".*.partial"))
    assert run(*arguments)["new"] == 0


@pytest.mark.parametrize("lost", [JOB, MANIFEST])
def test_what_describes_a_job_is_whole_or_not_there(model, fold, tmp_path, monkeypatch, lost):
    def rename(sources: list[str], targets: list[str]) -> None:
        if targets[0].endswith(lost):
            raise OSError("the disk is full")
        os.rename(sources[0], targets[0])

    with monkeypatch.context() as patched, pytest.raises(Exception, match="the disk is full"):
        patched.setattr(FileSystems, "rename", rename)
        run(*job(model, fold, tmp_path))
    assert not list(tmp_path.glob(f"*{lost}*"))
    run(*job(model, fold, tmp_path))


@pytest.mark.parametrize("change", [["--shard-curves", "9"], ["--time-offset", "1"]])
def test_shards_of_another_job_are_not_taken(model, fold, tmp_path, change):
    run(*job(model, fold, tmp_path))
    with pytest.raises(UsageError, match=r"hold shards of the same job\. Received: .* of another"):
        run(*job(model, fold, tmp_path, *change))


def test_other_tables_are_not_mixed_with_shards(model, fold, tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="with other Parquet files"):
        run(*job(model, fold, tmp_path))


def long_table(curves: list[LightCurve], bands: str = "gr") -> pa.Table:
    """Rows of each object together, its bands one after the other in time; JDs."""
    parts = []
    for curve in curves:
        count = len(curve)
        parts.append(
            pa.table(
                {
                    "objid": [curve.id] * count,
                    "jd": curve.mjd + 2_400_000.5,
                    "mag": curve.mag.astype(float),
                    "magerr": curve.errmag.astype(float),
                    "band": [bands[n % len(bands)] for n in range(count)],
                    "class": [curve.class_name] * count,
                }
            )
        )
    return pa.concat_tables(parts)


def test_long_tables_are_divided_between_objects(model, tmp_path):
    data = tmp_path / "survey"
    data.mkdir()
    curves = make_curves(20)
    for number, part in enumerate((curves[:12], curves[12:])):
        pq.write_table(long_table(part), data / f"{number}.parquet", row_group_size=50)
    made = run(*job(model, data, tmp_path / "out", "--shard-curves", "5"))
    assert made["shards"] == 3 + 2
    expected = local_rows(model, data, tmp_path / "local.parquet")
    assert set(expected.column("label").to_pylist()) == {0, 1}
    assert set(expected.column("band").to_pylist()) == {"g", "r"}
    assert 51_000 < np.nanmin(expected.column("first_mjd").to_numpy()) < 53_000
    assert_same_rows(rows_of(tmp_path / "out"), expected)


def test_rows_without_an_id_belong_to_nobody(model, tmp_path):
    table = long_table(make_curves(6), "g")
    ids = table.column("objid").to_pylist()
    for number in (0, 5, len(ids) - 1, *(n for n, name in enumerate(ids) if name == "star0-3")):
        ids[number] = None
    table = table.set_column(0, "objid", pa.array(ids)).drop(["class"])
    pq.write_table(table, tmp_path / "survey.parquet", row_group_size=50)
    run(*job(model, tmp_path / "survey.parquet", tmp_path / "out", "--shard-curves", "1"))
    expected = local_rows(model, tmp_path / "survey.parquet", tmp_path / "local.parquet")
    assert len(expected) == 5
    assert_same_rows(rows_of(tmp_path / "out"), expected)


def test_a_table_in_order_of_time_is_one_shard(model, tmp_path):
    table = long_table(make_curves(6), "g").sort_by("jd")
    pq.write_table(table, tmp_path / "survey.parquet", row_group_size=50)
    made = run(*job(model, tmp_path / "survey.parquet", tmp_path / "out", "--shard-curves", "2"))
    assert made["shards"] == 1
    expected = local_rows(model, tmp_path / "survey.parquet", tmp_path / "local.parquet")
    assert_same_rows(rows_of(tmp_path / "out"), expected)


def test_partitions_of_a_hats_catalogue(model, tmp_path):
    curves = make_curves(12)
    for number, part in enumerate((curves[:7], curves[7:])):
        folder = tmp_path / "catalogue" / "dataset" / "Norder=1" / "Dir=0"
        folder.mkdir(parents=True, exist_ok=True)
        rows = {
            "objid": [curve.id for curve in part],
            "mjd": [curve.mjd for curve in part],
            "mag": [curve.mag.astype(float) for curve in part],
            "magerr": [curve.errmag.astype(float) for curve in part],
        }
        pq.write_table(pa.table(rows), folder / f"Npix={number}.parquet")
    pq.write_table(pa.table(rows), tmp_path / "catalogue" / "dataset" / "data_thumbnail.parquet")
    run(*job(model, tmp_path / "catalogue", tmp_path / "out", "--shard-curves", "4"))
    found = rows_of(tmp_path / "out")
    assert found.column("id").to_pylist() == [curve.id for curve in curves]
    expected = local_rows(model, folder, tmp_path / "local.parquet")
    assert_same_rows(found, expected)


def test_an_object_in_two_files_is_told(model, tmp_path):
    data = tmp_path / "survey"
    data.mkdir()
    for number in range(2):
        pq.write_table(long_table(make_curves(3)), data / f"{number}.parquet")
    with pytest.raises(DataAnomalyError) as told:
        run(*job(model, data, tmp_path / "out"))
    rule = r"must lie in one file.*star0-\d, which is in .*/0.parquet and in .*/1.parquet"
    assert re.search(rule, str(told.value))


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.csv": b"id,mjd,mag,errmag\n"}, "Received: .*, with none"),
        ({"metadata.parquet": b"", "x.parquet": b""}, "a table of metadata"),
    ],
)
def test_surveys_that_must_become_records_first(model, tmp_path, files, told):
    data = tmp_path / "survey"
    data.mkdir()
    for name, content in files.items():
        (data / name).write_bytes(content)
        if not content:
            pq.write_table(long_table(make_curves(2)), data / name)
    with pytest.raises((DataNotFoundError, UsageError), match=told):
        run(*job(model, data, tmp_path / "out"))


def run_here(model: str, data: Path, out: Path, *more: str) -> None:
    """As a user runs it, the error as it would be told."""
    embed(parse(["--data", str(data), "--model", model, "--out", str(out), "--beam", IN_MEMORY]))


def test_a_worker_s_error_is_that_of_the_local_command(model, fold, tmp_path):
    records = [encode(curve) for curve in make_curves(4)]
    data = write_fold(tmp_path / "fold")
    file = write_records(data / "train" / "1.record", [*records[:2], b"\x0a\x03abc", records[3]])
    with pytest.raises(RecordError) as local:
        local_rows(model, data, tmp_path / "local.parquet")
    with pytest.raises(RecordError) as told:
        run_here(model, data, tmp_path / "out")
    assert str(told.value) == str(local.value)
    assert f"record 2 (counted from 0) of {file}" in str(told.value)
    assert not list((tmp_path / "out").glob(".*.partial"))


def test_what_is_refused_before_anything_is_loaded(model, fold, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--out must be a folder"):
        run_here(model, fold, tmp_path / "file")
    with locked(tmp_path / "held", "--out"), pytest.raises(OutputLockedError):
        run_here(model, fold, tmp_path / "held")
    with pytest.raises(UsageError, match="--export is for a single file"):
        parse(["--data", "x", "--out", "y", "--export", "y.fits", "--beam", IN_MEMORY])
    monkeypatch.setattr(embed_on_beam, "find_spec", lambda name: None)
    with pytest.raises(AstromerError, match=r"not installed.* pip install .apache-beam"):
        run_here(model, fold, tmp_path / "out")


@pytest.mark.slow
def test_a_killed_worker_costs_what_it_was_at_work_on(model, tmp_path):
    fold, out = write_fold(tmp_path / "fold", train=make_curves(400)), tmp_path / "out"
    words = ["--data", str(fold), "--model", model, "--shard-curves", "4", "--bs", "4"]
    command = [sys.executable, "-m", "astromer", "embed", *words]

    def begin() -> subprocess.Popen:
        return subprocess.Popen(
            [*command, "--out", str(out), "--beam", TWO],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    process = begin()
    deadline = time.monotonic() + 300
    while len(list(out.glob("*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = of_worker(process.pid)
    os.kill(workers[0], signal.SIGKILL)
    told = process.communicate(timeout=200)[1].splitlines()
    assert process.returncode == 138
    assert [line for line in told if "error: " in line] == told[-1:]
    assert "one was killed (exit code 137)" in told[-1]
    ended = time.monotonic() + 20  # they are killed; a busy machine takes a while
    while any(map(works, workers)) and time.monotonic() < ended:
        time.sleep(0.05)
    assert not [worker for worker in workers if works(worker)]
    assert not list(out.glob(".*.partial"))
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.parquet")}
    assert len(kept) >= 3
    process = begin()
    told = process.communicate(timeout=300)[0]
    assert process.returncode == 0
    shards = len(list(out.glob("*.parquet")))
    assert f"{shards} files, {shards - len(kept)} of them new" in told
    assert kept.items() <= {path: path.stat().st_mtime_ns for path in out.glob("*.parquet")}.items()
    assert len(kept) < shards
    assert_same_rows(rows_of(out), local_rows(model, fold, tmp_path / "local.parquet"))


def of_worker(program: int) -> list[int]:
    """The processes of Beam's workers of a program."""
    return [
        one
        for one, words in descendants(program).items()
        if b"sdk_worker_main" in words and b"python" in words.split(b"\0")[0]
    ]


def test_a_fold_in_a_store(model, fold, tmp_path):
    options = job(model, fold, tmp_path)[0]
    stored = dataclasses.replace(options, data=f"toy:/{fold}", shard_curves=8)
    made = run(stored, (IN_MEMORY,), model, f"toy:/{tmp_path}/out")
    assert made["new"] == made["shards"] > 4
    expected = local_rows(model, fold, tmp_path / "local.parquet")
    assert_same_rows(rows_of(tmp_path / "out"), expected)
    assert run(stored, (IN_MEMORY,), model, f"toy:/{tmp_path}/out")["new"] == 0
    assert not list((tmp_path / "out").glob(".*.partial"))


def test_tables_in_a_store(model, tmp_path):
    data = tmp_path / "survey"
    data.mkdir()
    for number in range(2):
        table = long_table(make_curves(6, seed=number))
        pq.write_table(table, data / f"{number}.parquet", row_group_size=50)
    options = job(model, data, tmp_path)[0]
    stored = dataclasses.replace(options, data=f"toy:/{data}", shard_curves=5)
    assert run(stored, (IN_MEMORY,), model, f"toy:/{tmp_path}/out")["shards"] == 4
    expected = local_rows(model, data, tmp_path / "local.parquet")
    assert_same_rows(rows_of(tmp_path / "out"), expected)
    with pytest.raises(DataNotFoundError, match="with none"):
        run(dataclasses.replace(stored, data=f"toy:/{tmp_path}/no"), (IN_MEMORY,), model, "toy://x")
