"""The programs whose commands stand in sentences of the documents, on next to nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from tools.benchmarks import beam_runners, embedding, serving_memory, validation
from tools.benchmarks.beam_runners import WAYS, WORK, Cost

SMALL = {"small": EncoderConfig("astromer_v2", 8, 1, 2)}


def call(program, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
    monkeypatch.setattr(sys, "argv", [program.__file__, *options])
    program.main()


def test_bench_embedding(monkeypatch, capsys):
    monkeypatch.setattr(embedding, "SIZES", SMALL)
    # Which this process, having used TensorFlow, cannot change any more.
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda n: None)
    call(embedding, monkeypatch, "--curves", "2", "--rounds", "1")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("small")]
    assert len(lines) == 6  # three ways, two kinds of light curves
    assert [line.split()[-1] for line in lines if "one by one" in line] == ["1.00", "1.00"]


def test_serving_memory(monkeypatch, capsys):
    """Each model is asked in a process of its own, which is this one here."""

    def run(command: list[str], check: bool) -> None:
        call(serving_memory, monkeypatch, *command[2:])

    monkeypatch.setattr(serving_memory, "SIZES", SMALL)
    monkeypatch.setattr(subprocess, "run", run)
    call(serving_memory, monkeypatch, "--share", "0.001")
    printed = capsys.readouterr().out
    assert all(f"{name}, " in printed for name in ("embed_ragged", "encode_windows", "embed"))


def test_bench_validation(tmp_path, monkeypatch, capsys):
    """Every row does its work, in this process instead of one of its own."""

    def measured(row: str, folder: Path) -> dict[str, float]:
        work = validation.ROWS[row](folder)
        begun = time.perf_counter()
        work()
        return {"seconds": time.perf_counter() - begun, "peak": 2.0**20}

    monkeypatch.setattr(validation, "_in_a_process", measured)
    call(validation, monkeypatch, "--curves", "6", "--observations", "10")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["6", "curves"]
    assert [line[:26].strip() for line in printed[2:]] == list(validation.ROWS)


def test_bench_beam(monkeypatch, capsys):
    """The way to the table; what is measured is done in tests of its own."""
    asked = []

    def measured(work: str, folder: Path, options) -> Cost:
        asked.append(work)
        return Cost(wall=2.0, cpu=1.0 + len(options), peak=2.0**30)

    monkeypatch.setattr(beam_runners, "in_a_child", lambda work: work())
    monkeypatch.setattr(beam_runners, "_measure", measured)
    monkeypatch.setenv("PYTHONPATH", "")
    call(beam_runners, monkeypatch, "--curves", "5", "6", "--observations", "10")
    assert asked == [work for _ in range(2) for work in WORK for _ in WAYS]
    assert capsys.readouterr().out.count("ahead from") == len(WORK)
