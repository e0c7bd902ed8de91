"""``make audit`` says that all is well only where every package has been asked about."""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.standins.osv import Osv, pip_audit_is_there

ROOT = Path(__file__).resolve().parents[2]
LOCK = "one==1.0 \\\n    --hash=sha256:00\nTwo[extra]==2.5 \\\n    --hash=sha256:11\n"
CLEAN = [{"name": "one", "version": "1.0", "vulns": []}]
HOLE = {"id": "PYSEC-2024-1", "aliases": ["CVE-2024-1"], "fix_versions": ["2.6"]}


def audit(tmp_path: Path, *, says: str, errors: str = "", code: int = 0, accepted: object = ()):
    """Runs the script with a uv that answers what it is told to."""
    (tmp_path / "says").write_text(says)
    (tmp_path / "errors").write_text(errors)
    uv = tmp_path / "uv"
    uv.write_text(
        f'#!/bin/sh\ncd "{tmp_path}"\necho "$@" > asked\ncat says\ncat errors >&2\nexit {code}\n'
    )
    uv.chmod(0o755)
    (tmp_path / "lock").write_text(LOCK)
    (tmp_path / "accepted.json").write_text(json.dumps(list(accepted)))
    return subprocess.run(
        [
            *(sys.executable, ROOT / "tools" / "scripts" / "audit.py"),
            *("--lock", tmp_path / "lock", "--accepted", tmp_path / "accepted.json"),
        ],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


def report(*two: object) -> str:
    answers = [*CLEAN, *({"name": "two", "version": "2.5", "vulns": [v]} for v in two)]
    if not two:
        answers.append({"name": "two", "version": "2.5", "vulns": []})
    return json.dumps({"dependencies": answers})


def test_every_package_checked_and_none_vulnerable(tmp_path: Path) -> None:
    done = audit(tmp_path, says=report())
    assert done.returncode == 0, done.stderr
    assert "2 packages asked about: 0 open" in done.stdout
    assert "--from pip-audit==" in (tmp_path / "asked").read_text()  # pinned, outside .venv


def test_a_vulnerability_is_told_and_fails(tmp_path: Path) -> None:
    done = audit(tmp_path, says=report(HOLE), code=1)
    assert done.returncode == 1
    assert "two 2.5: CVE-2024-1, PYSEC-2024-1; fixed in: 2.6" in done.stdout


def test_one_that_is_accepted_with_a_reason_does_not(tmp_path: Path) -> None:
    entry = {"id": "CVE-2024-1", "package": "two", "reason": "not used", "review": "9999-01-01"}
    done = audit(tmp_path, says=report(HOLE), code=1, accepted=[entry])
    assert done.returncode == 0, done.stdout
    assert "0 open, 1 accepted" in done.stdout
    done = audit(tmp_path, says=report(), accepted=[entry])
    assert "not found any more: CVE-2024-1" in done.stdout
    for wrong in ({"reason": ""}, {"review": "2020-01-01"}):
        done = audit(tmp_path, says=report(HOLE), code=1, accepted=[{**entry, **wrong}])
        assert done.returncode == 69


@pytest.mark.parametrize(
    ("says", "errors", "rule"),
    [
        (
            "",
            "Traceback ...\nConnectionError: Failed to resolve 'api.example'",
            "Failed to resolve",
        ),
        ("", "", "says nothing"),
        # An index without pip-audit's data: it skips every package and calls that a success.
        (
            json.dumps({"dependencies": [*CLEAN, {"name": "two", "skip_reason": "not found"}]}),
            "No known vulnerabilities found",
            "1 of 2 packages have no answer, the first: two (not found)",
        ),
        (json.dumps({"dependencies": CLEAN}), "", "not asked about"),
        (json.dumps({"dependencies": []}), "No known vulnerabilities found", "2 of 2 packages"),
    ],
)
def test_no_answer_is_never_good_news(tmp_path: Path, says: str, errors: str, rule: str) -> None:
    for code in (0, 1):
        done = audit(tmp_path, says=says, errors=errors, code=code)
        assert done.returncode == 69
        assert done.stdout == ""
        assert done.stderr.startswith("error: not audited: ")
        assert done.stderr.count("\n") == 1
        assert rule in done.stderr


def test_the_list_of_accepted_ones_and_the_lock_can_be_read() -> None:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tools" / "scripts" / "audit.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.read_accepted(ROOT / "tools" / "scripts" / "audit_accepted.json", datetime.date.min)
    assert script.locked_versions(ROOT / "requirements.lock")["tensorflow"] == "2.16.2"


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.5", "2.6"])
def test_pip_audit_asks_and_its_answer_is_understood(tmp_path: Path, version: str) -> None:
    if not pip_audit_is_there():
        pytest.skip("needs pip-audit, which could not be installed")
    (tmp_path / "lock").write_text(LOCK.replace("2.5", version).replace(":00", ":" + 64 * "0"))
    hole = {
        "id": "PYSEC-2024-1",
        "affected": [
            {
                "package": {"name": "two", "ecosystem": "PyPI"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.6"}]}
                ],
            }
        ],
    }
    with Osv(tmp_path, {"two": [hole]} if version == "2.5" else {}) as osv:
        done = subprocess.run(
            [sys.executable, ROOT / "tools" / "scripts" / "audit.py", "--lock", tmp_path / "lock"],
            env={**os.environ, **osv.environment},
            capture_output=True,
            text=True,
        )
    assert osv.asked == {"one": "1.0", "two": version}
    if version == "2.5":
        assert done.returncode == 1, done.stderr
        assert "two 2.5: PYSEC-2024-1; fixed in: 2.6" in done.stdout
    else:
        assert done.returncode == 0, done.stderr
