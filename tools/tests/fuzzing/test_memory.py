"""Small files that claim to be huge, in a process that has a gigabyte to spare."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_each_ends_in_an_error_that_names_the_file(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tools.tests.fuzzing.hostile_files", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert len(lines) == 8
    for line in lines:
        name, _, message = line.partition(": ")
        assert name in message, line
