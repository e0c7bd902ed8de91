"""A process that ends abruptly is told of by another one, and no process is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

_PROGRAM = """
import os
from pathlib import Path
from astromer.cli import run_program
from astromer.last_words import name_log

def main():
    name_log(Path("/runs/a log.log"))
    {body}

run_program(main)
"""


def run(body: str) -> subprocess.CompletedProcess[str]:
    code = _PROGRAM.format(body=body)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(("body", "code"), [("os.abort()", -6), ("os.kill(os.getpid(), 9)", -9)])
def test_an_abrupt_end_is_told(body: str, code: int) -> None:
    done = run(body)
    assert done.returncode == code
    assert done.stderr.count("error:") == 1
    assert "has ended without a word" in done.stderr
    assert "/runs/a log.log" in done.stderr


@pytest.mark.parametrize("body", ["return 0", "raise SystemExit(3)", "os.fork() or os._exit(0)"])
def test_an_ordinary_end_is_not(body: str) -> None:
    done = run(body)
    assert done.returncode == (3 if "3" in body else 0)
    assert done.stderr == ""


def test_no_process_is_left() -> None:
    body = "print(os.getpid(), flush=True); os.kill(os.getpid(), 9)"
    code = _PROGRAM.format(body=body)
    with subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL
    ) as process:
        process.wait()
    deadline = time.monotonic() + 10
    while _session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _session(process.pid)


def _session(number: int) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == number and fields[0] not in "ZX":
            found.append(folder.name)
    return found


def test_the_full_disk_of_a_result_is_an_error() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    code = _PROGRAM.format(body="print('result ' * 9999)")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 14
    assert done.stderr.startswith("error: a disk must have room")
    assert "Traceback" not in done.stderr


def test_a_full_disk_that_names_no_file_is_told_with_the_folder(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    code = """
from astromer.cli import Parser, run_program

def main():
    parser = Parser()
    parser.add_argument("--out")
    parser.parse_args()
    with open("/dev/full", "w") as file:
        file.write("results")

run_program(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "--out", str(tmp_path / "table.parquet")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 14
    assert f"at {tmp_path / 'table.parquet'}, where" in done.stderr
    assert "Traceback" not in done.stderr
