from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from astromer.system.environment import _EXTRAS, MissingExtraError, missing_extra, require

ROOT = Path(__file__).resolve().parents[3]


def test_what_is_there_is_not_asked_for() -> None:
    require("plots", "numpy")


def test_says_what_to_install() -> None:
    with pytest.raises(MissingExtraError, match=r"no_such_thing is not .*pipeline\[plots\]"):
        require("plots", "numpy", "no_such_thing")


def test_an_import_that_failed_names_its_extra() -> None:
    error = ModuleNotFoundError("No module named 'pyarrow.csv'", name="pyarrow.csv")
    assert "astromer-pipeline[records]" in str(missing_extra(error))
    assert missing_extra(ModuleNotFoundError("", name="astromer.nothing")) is None


def test_where_there_is_no_tfx_its_extra_is_not_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    with pytest.raises(MissingExtraError, match=r"must be run by Python 3\.10.* Received: Python"):
        require("pipeline", "no_such_thing")


def test_each_extra_exists() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    table = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    assert set(_EXTRAS) <= set(re.findall(r"^(\w+) = \[", table, re.MULTILINE))


def test_a_program_without_its_library_says_so_in_a_line() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from astromer.commands.cli import run_program\n"
        "from astromer.commands.create_records import main\n"
        "sys.argv = ['create_records', '--data', 'tests']\n"
        "run_program(main)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: pyarrow is not installed.")
    assert done.stderr.count("\n") == 1
