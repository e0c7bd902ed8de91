"""Ctrl-C ends a program in one line, whatever a library makes of it."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys, time
from astromer.commands.cli import Parser, run_program
from astromer.system.terminal import progress_bar

def main():
    Parser(prog="p").parse_args([])
    try:
        for _ in progress_bar(range(1000), desc="working"):
            time.sleep(0.1)
            if _ == 15:
                print("ready", flush=True)
    except {caught}:
        raise {raised}

run_program(main)
"""


@pytest.mark.parametrize(
    ("caught", "raised"),
    [("ZeroDivisionError", "SystemExit"), ("BaseException", "AttributeError('half imported')")],
    ids=["as usual", "swallowed by a library"],
)
def test_one_line_and_130_in_a_terminal(toy, caught: str, raised: str) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(caught=caught, raised=raised)],
        cwd=toy.root,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(toy.root)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        os.close(theirs)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    shown = b""
    try:
        while block := os.read(ours, 65536):
            shown += block
    except OSError:
        pass  # the other end is closed
    os.close(ours)
    text = shown.decode()
    assert "working" in text
    assert "Traceback" not in text
    # The bar was taken away before the line was written.
    last = text.rstrip().rsplit("\r", 1)[-1].strip()
    assert last == "interrupted; run the same command again to resume"


_PROGRAM = """
import os
from pathlib import Path
from astromer.commands.cli import run_program
from astromer.system.termination import set_watchdog_log

def main():
    set_watchdog_log(Path("/runs/a log.log"))
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
    assert "was killed, mostly because memory ran out, or crashed" in done.stderr
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
    assert done.stderr.startswith("error: the disk must have space")
    assert "Traceback" not in done.stderr


def test_a_full_disk_that_names_no_file_is_told_with_the_folder(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    code = """
from astromer.commands.cli import Parser, run_program

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
