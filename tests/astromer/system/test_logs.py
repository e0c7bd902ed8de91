from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from astromer.system.logs import new_log, redirect_output
from tests.conftest import ROOT


def test_the_user_s_own_log_level_is_kept(toy) -> None:
    code = "from astromer.system.logs import silence; silence(); import os; print(os.environ['{}'])"
    shown = toy.python("-c", code.format("TF_CPP_MIN_LOG_LEVEL"), env={"TF_CPP_MIN_LOG_LEVEL": "1"})
    assert shown.stdout == "1\n"


def test_tensorflow_starts_without_a_word(toy, tmp_path: Path) -> None:
    code = (
        "from astromer.system.logs import silence; silence(); import tensorflow as tf; tf.zeros(1)"
    )
    done = toy.python("-c", code, env={"TF_CPP_MIN_LOG_LEVEL": "3"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


FORKS = """
import os, subprocess
from astromer.system.logs import silence
os.environ.pop("GRPC_ENABLE_FORK_SUPPORT", None)
silence()
import grpc
channel = grpc.insecure_channel("127.0.0.1:1")
try: grpc.channel_ready_future(channel).result(0.1)
except grpc.FutureTimeoutError: pass
# Looking for the program in many folders takes the child a while after its files were closed.
env = {"PATH": ":".join([*(f"/{number}" for number in range(5000)), os.environ["PATH"]])}
for _ in range(20):
    subprocess.run(["true"], preexec_fn=int, env=env, check=True)
"""


def test_programs_that_are_started_by_a_fork_outlive_grpc_s_handlers(toy) -> None:
    done = toy.python("-c", FORKS)
    assert (done.returncode, done.stderr) == (0, "")


LOADS = """
import sys
from astromer.system.logs import set_verbose, silence
set_verbose("--verbose" in sys.argv)
silence()
import tensorflow
print(tensorflow.__name__)
"""


@pytest.fixture
def noisy_tensorflow(tmp_path: Path) -> dict[str, str]:
    """One that writes when it is loaded, before it looks at its own level of logs."""
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import contextlib, os\n"
        "with contextlib.suppress(OSError):\n"
        "    os.write(2, b'WARNING: all logs')\n"
    )
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


@pytest.mark.parametrize(("option", "shown"), [((), ""), (("--verbose",), "WARNING: all logs")])
def test_what_tensorflow_writes_while_it_is_loaded(
    noisy_tensorflow: dict[str, str], option: tuple[str, ...], shown: str
) -> None:
    command = [sys.executable, "-c", LOADS, *option]
    done = subprocess.run(command, env=noisy_tensorflow, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("tensorflow\n", shown)


def test_tensorflow_is_loaded_where_standard_error_is_closed(
    noisy_tensorflow: dict[str, str],
) -> None:
    command = ["sh", "-c", '"$@" 2>&-', "sh", sys.executable, "-c", LOADS]
    done = subprocess.run(command, env=noisy_tensorflow, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "tensorflow\n")


NOISY = """
import logging, os, sys, warnings
from pathlib import Path
from astromer.system.logs import redirect_output
with redirect_output(Path(sys.argv[1])):
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
    assert "a result\n" in logged
    assert "a progress bar" not in logged


def test_a_stream_that_is_no_terminal_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a notebook, whose cells show what is printed."""
    with redirect_output(tmp_path / "run.log"):
        print("a result")
        os.write(1, b"from C++\n")
    assert capsys.readouterr().out == "a result\n"
    assert (tmp_path / "run.log").read_text() == "from C++\n"


def test_verbose_shows_all(toy, tmp_path: Path) -> None:
    code = "from astromer.system.logs import set_verbose; set_verbose(True)\n" + NOISY
    done = toy.python("-c", code, str(tmp_path / "run.log"))
    assert "from C++ on 1" in done.stdout
    assert "from a warning" in done.stderr
    assert not (tmp_path / "run.log").exists()


def test_the_newest_runs_keep_their_files(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "train").mkdir(parents=True)
    for day in range(1, 6):
        for suffix in ("log", "json"):
            (folder / f"2026010{day}-120000-77.{suffix}").touch()
    (folder / "notes.log").touch()

    log = new_log(tmp_path, keep=3)

    log.touch()
    left = {path.name for path in folder.iterdir()}
    old = {f"2026010{day}-120000-77.{suffix}" for day in (4, 5) for suffix in ("log", "json")}
    assert left == {*old, "notes.log", "train", log.name}
