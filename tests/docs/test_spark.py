"""What docs/run_on_beam.md has for Spark, on two executors of which one loses a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import astromer
from astromer.light_curves import LightCurves
from tests.docs.pages import BLOCKS, ROOT
from tests.standins.processes import descendants, has_loaded
from tests.standins.spark import fetch_spark

TWO_EXECUTORS = "local-cluster[2,1,4096]"


def kill_a_worker(program: subprocess.Popen) -> None:
    """Kills a Python process that is at work on a task."""
    deadline = time.monotonic() + 300
    while program.poll() is None and time.monotonic() < deadline:
        for process, words in descendants(program.pid).items():
            if b"pyspark.daemon" in words and has_loaded(process, b"tensorflow"):
                os.kill(process, signal.SIGKILL)
                return
        time.sleep(0.05)


@pytest.mark.slow
def test_two_executors_embed_as_this_process_does(toy, tmp_path: Path) -> None:
    if reason := fetch_spark(tmp_path / "spark"):
        pytest.skip(reason)
    [block] = [b for b in BLOCKS if b.page == "docs/run_on_beam.md" and b.language == "python"]
    good = toy.curves([30, 45, 12, 60, 25, 33])
    curves = LightCurves.concatenate([good, toy.curves([3], seed=1).take(np.array([0]))])
    curves.ids[-1] = "short"
    order = np.random.default_rng(1).permutation(curves.num_observations)
    rows = {
        "id": np.repeat(curves.ids, curves.lengths)[order],
        "mjd": curves.mjd[order],
        "mag": curves.mag[order],
        "errmag": curves.errmag[order],
    }
    pq.write_table(pa.table(rows), tmp_path / "survey.parquet")
    path = os.pathsep.join([str(tmp_path / "spark"), str(ROOT)])
    settings = {
        "spark.executorEnv.PYTHONPATH": path,
        "spark.executor.memory": "1g",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
    }
    words = " ".join(f"--conf {name}={value}" for name, value in settings.items())
    program = subprocess.Popen(
        [sys.executable, "-c", block.text],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": path,
            "SPARK_HOME": str(tmp_path / "spark" / "pyspark"),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_SUBMIT_ARGS": f"--master {TWO_EXECUTORS} {words} pyspark-shell",
            "TF_ENABLE_ONEDNN_OPTS": "0",
        },
        stderr=(tmp_path / "log").open("w"),
    )
    try:
        kill_a_worker(program)
        program.wait(600)
    finally:
        program.kill()
    told = (tmp_path / "log").read_text()
    assert program.returncode == 0, told[-3000:]
    assert "Lost task" in told
    found = pq.read_table(tmp_path / "embedded").to_pandas().set_index("id").loc[curves.ids]
    expected = astromer.load().embed_packed(curves, progress=False)
    assert found["status"].tolist() == expected.status.tolist() == [0] * 6 + [1]
    scale = np.maximum(np.linalg.norm(expected.vectors, axis=1, keepdims=True), 1)
    vectors = np.stack(found["embedding"].to_list())
    np.testing.assert_allclose(vectors / scale, expected.vectors / scale, rtol=0, atol=1e-6)
