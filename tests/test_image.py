"""The image's Dockerfile: clean, and its installation works in an empty environment."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import OFFLINE

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "deploy" / "pipeline" / "Dockerfile"
STEPS = ("pipeline.task_runner", "components.trainer.run_fn", "components.validator.executor")


def instructions(stage: str) -> list[tuple[str, str]]:
    """The instructions of a build stage, as (verb, rest), continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    text = text.replace("\\\n", " ")
    found, wanted = [], False
    for line in filter(None, (line.strip() for line in text.splitlines())):
        verb, _, rest = line.partition(" ")
        if verb == "FROM":
            wanted = rest.endswith(f" AS {stage}") if stage else " AS " not in rest
        elif wanted:
            found.append((verb, rest))
    return found


def find_uv() -> str | None:
    """As make setup does: the user's own, or the one in .tools beside .venv."""
    own = Path(sys.prefix).resolve().parent / ".tools" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else None)


def test_hadolint_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("needs hadolint, which is installed with the extra dev")
    files = sorted(map(str, (ROOT / "deploy").glob("*/Dockerfile")))
    done = subprocess.run([hadolint, *files], capture_output=True, text=True)
    assert (len(files), done.stdout) == (2, "")


def test_the_image_s_user_is_not_root():
    [user] = [rest for verb, rest in instructions("") if verb == "USER"]
    assert int(user.split(":")[0]) > 0


def test_what_is_copied_is_sent_to_the_builder_and_is_there():
    sent = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {
        source
        for verb, rest in instructions("build")
        if verb == "COPY"
        for source in rest.split()[:-1]
    }
    assert copied == sent
    assert all((ROOT / name).exists() for name in sent)


@pytest.mark.slow
def test_its_installation_works_in_an_empty_environment(tmp_path: Path):
    """Runs the build stage's own steps, in a folder that stands for the image's root."""
    uv = find_uv()
    if uv is None:
        pytest.skip("needs uv, on the path or in .tools")
    place = tmp_path / "build"
    place.mkdir()
    (tmp_path / "opt" / "uv" / "bin").mkdir(parents=True)
    (tmp_path / "opt" / "uv" / "bin" / "uv").symlink_to(Path(uv).resolve())
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = []
    for verb, rest in instructions("build"):
        if verb == "ARG":
            name, _, default = rest.partition("=")
            environment[name] = default
        elif verb == "COPY":
            copy(rest.split(), place)
        elif verb == "RUN" and not re.match(r"apt-get|python -m venv /opt/uv", rest):
            ran.append(rest)
            done = subprocess.run(
                ["/bin/sh", "-euc", rest.replace("/opt/", f"{tmp_path}/opt/")],
                cwd=place,
                env=environment,
                capture_output=True,
                text=True,
                timeout=600,
            )
            if re.search(OFFLINE, done.stderr):
                pytest.skip(f"needs packages that cannot be fetched: {done.stderr.strip()[:200]}")
            assert done.returncode == 0, done.stderr
    assert len(ran) == 2

    python = tmp_path / "opt" / "venv" / "bin" / "python"
    code = f"import importlib; [importlib.import_module(name) for name in {STEPS}]"
    files = "card.CITATION_FILE.is_file() and card.TEMPLATE_FILE.is_file()"
    card = f"from astromer.serving.model_card import card; assert {files}"
    check = f"{code}; {card}; import astromer; print(astromer.__file__)"
    done = subprocess.run(
        [python, "-c", check],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "opt" / "venv"))
    installed = subprocess.run(
        shlex.split(f"{uv} pip freeze --python {python}"), capture_output=True, text=True
    ).stdout
    locked = re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / "requirements.lock").read_text(), re.M)
    found = {line for line in installed.splitlines() if "==" in line}
    assert found <= set(locked)
    assert "tfx==1.16.0" in found
    assert not any(line.startswith(("pytest", "mypy", "openvino")) for line in found)


def copy(words: list[str], place: Path) -> None:
    """What COPY does with files and folders of the project."""
    *sources, target = words
    for source in sources:
        if (ROOT / source).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, place / target, symlinks=True, ignore=ignore)
        else:
            shutil.copy(ROOT / source, place / target)
