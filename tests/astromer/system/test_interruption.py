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

import pytest

PROGRAM = """
import sys, time
from astromer.commands.cli import Parser, run_program
from astromer.system.progress import progress_bar

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
    assert last == "interrupted; to go on, give the same command again"
