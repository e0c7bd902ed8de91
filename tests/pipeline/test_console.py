"""The terminal shows what was meant for it; the log has the rest."""

from __future__ import annotations

import subprocess
import sys

from pipeline.console import Report
from pipeline.dag_runner import Step

NOISY = """
import logging, os, sys, warnings
from pathlib import Path
from pipeline.console import noise_to
with noise_to(Path(sys.argv[1])):
    os.write(1, b"from C++ on 1\\n")
    os.write(2, b"from C++ on 2\\n")
    os.system("echo from a child >&2")
    logging.getLogger("tfx").info("from a logger")
    logging.getLogger("absl").warning("from absl")
    warnings.warn("from a warning")
    print("a result")
    print("a progress bar", file=sys.stderr)
os.write(1, b"afterwards\\n")
"""


def test_noise_goes_to_the_log_and_results_to_the_terminal(tmp_path):
    log = tmp_path / "logs" / "run.log"
    done = subprocess.run(
        [sys.executable, "-c", NOISY, str(log)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "a result\nafterwards\n"
    assert done.stderr == "a progress bar\n"
    logged = log.read_text()
    for source in ("C++ on 1", "C++ on 2", "a child", "a logger", "absl", "a warning"):
        assert logged.count(f"from {source}") >= 1, source


def test_each_component_gets_one_line(capsys):
    report = Report()
    for name, cached in (("StatisticsGen", True), ("Trainer", False)):
        report.started(name)
        report.ended(Step(name, cached, 1.25))
    report.started("Pusher")
    report.close()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["StatisticsGen", "cached"],
        ["Trainer", "1.2", "s"],
        ["Pusher", "failed"],
    ]
