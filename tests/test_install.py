"""Installed in an empty environment of each Python, the package embeds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from astromer import __version__
from tests.conftest import OFFLINE
from tests.docs.pages import PAGES

ROOT = Path(__file__).resolve().parents[1]


EXTRAS = "records,finetune,fits,onnx,plots"
"""All but that of the pipeline, which is for Python 3.10: the lock and the image have it."""
OLDEST = "tensorflow==2.16.1"
"""Of the TensorFlows that are allowed. ``make test-current`` has the newest, for Python 3.13."""


def find_python(version: str) -> str | None:
    """On the path, or of pyenv."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    of_pyenv = sorted(versions.glob(f"{version}.*/bin/python"))
    for found in (*map(str, of_pyenv), shutil.which(f"python{version}")):
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return found
    return None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "extras", "required"), [("3.11", "", ()), ("3.12", EXTRAS, (OLDEST,))]
)
def test_embeds_without_tfx(version: str, extras: str, required: tuple[str, ...]) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"needs Python {version}")
    done = subprocess.run(
        ["sh", "tools/scripts/check_install.sh", python, "", extras, *required],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    if re.search(OFFLINE, done.stderr):
        pytest.skip(f"needs packages that cannot be fetched: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    assert f"Python {version}." in done.stdout
    assert all(library.replace("==", " ") in done.stdout for library in required)
    assert f"astromer {__version__}" in done.stdout


def test_every_documented_extra_is_installed_by_the_test_above() -> None:
    named = re.findall(r'pip install "\.\[([a-z,]+)\]"', "".join(p.read_text() for p in PAGES))
    assert named
    assert set(",".join(named).split(",")) <= set(EXTRAS.split(","))


def test_one_version_everywhere() -> None:
    newest = re.search(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    cited = re.search(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert newest is not None
    assert cited is not None
    assert newest[1] == cited[1] == __version__
