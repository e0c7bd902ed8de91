"""Asks a vulnerability database about every package of requirements.lock.

    python tools/scripts/audit.py [--service osv|pypi] [--lock FILE] [--accepted FILE]

pip-audit does the asking, in an environment of its own that uv makes, so that .venv stays as it is
locked. What it says is taken for an answer only where it has one for every package. Imports the
standard library only.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PIP_AUDIT = "pip-audit==2.10.1"
PYTHON = "3.10"  # that of the lock
VULNERABLE, NOT_CHECKED = 1, 69  # EX_UNAVAILABLE of sysexits.h


class NotChecked(Exception):
    """There is no answer, or not for every package."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--service", choices=("osv", "pypi"), default="osv", help="database (default: osv)"
    )
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.lock")
    parser.add_argument(
        "--accepted", type=Path, default=ROOT / "tools" / "scripts" / "audit_accepted.json"
    )
    return parser.parse_args(arguments)


def read_accepted(path: Path, today: datetime.date) -> dict[str, str]:
    """Vulnerabilities that are known and accepted, and why.

    Raises:
        NotChecked: an entry has no reason, or its time is over.
    """
    accepted = {}
    for entry in json.loads(path.read_text(encoding="utf-8")):
        known = {"id", "package", "reason", "review"}
        if set(entry) != known or not all(str(entry[name]).strip() for name in known):
            raise NotChecked(f"{path}: an entry must have {sorted(known)}. Received: {entry}")
        if datetime.date.fromisoformat(entry["review"]) < today:
            raise NotChecked(f"{path}: {entry['id']} was to be reviewed by {entry['review']}")
        accepted[entry["id"]] = f"{entry['package']}: {entry['reason']}"
    return accepted


def pip_audit() -> list[str]:
    """The words that run it."""
    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    return [uv, "tool", "run", "--isolated", "--python", PYTHON, "--from", PIP_AUDIT, "pip-audit"]


def ask(lock: Path, service: str) -> dict[str, Any]:
    """What pip-audit says.

    Raises:
        NotChecked: it says nothing, for instance because the service cannot be reached.
    """
    asked = ["--vulnerability-service", service, "--requirement", str(lock)]
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    command = [*pip_audit(), *asked, *options]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
        )
    except OSError as error:
        raise NotChecked(f"uv does not run ({error.strerror}); make setup brings it") from error
    try:
        return json.loads(done.stdout)
    except ValueError:
        # Whatever its exit code: pip-audit ends with 1 both for a finding and for a lost network.
        told = [line for line in done.stderr.splitlines() if line.strip()] or ["it says nothing"]
        raise NotChecked(f"{service} gave no answer: {told[-1].strip()[:300]}") from None


def judge(
    found: Mapping[str, Any], locked: Mapping[str, str], accepted: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Lines about vulnerabilities that are not accepted, and about entries that match nothing.

    Raises:
        NotChecked: a package of the lock has no answer. pip-audit calls that a success.
    """
    answers = {entry["name"].lower(): entry for entry in found.get("dependencies", [])}
    checked = {
        name
        for name, version in locked.items()
        if answers.get(name, {}).get("version") == version and "vulns" in answers[name]
    }
    if missing := sorted(set(locked) - checked):
        reason = answers.get(missing[0], {}).get("skip_reason", "it was not asked about")
        raise NotChecked(
            f"{len(missing)} of {len(locked)} packages have no answer, the first: {missing[0]} "
            f"({reason[:200]})"
        )
    lines, used = [], set()
    for name in sorted(locked):
        for vulnerability in answers[name]["vulns"]:
            names = {vulnerability["id"], *vulnerability.get("aliases", [])}
            if known := names & set(accepted):
                used |= known
                continue
            fixed = ", ".join(vulnerability.get("fix_versions", [])) or "none yet"
            lines.append(f"{name} {locked[name]}: {', '.join(sorted(names))}; fixed in: {fixed}")
    return lines, sorted(set(accepted) - used)


def locked_versions(lock: Path) -> dict[str, str]:
    """Version of each package of a lock file.

    Raises:
        NotChecked: there is none.
    """
    pattern = r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)"
    found = dict(re.findall(pattern, lock.read_text(encoding="utf-8"), re.MULTILINE))
    if not found:
        raise NotChecked(f"{lock} has no packages")
    return {name.lower(): version for name, version in found.items()}


def main(arguments: list[str] | None = None) -> int:
    """Prints what was found; 0 where every package was checked and nothing is open."""
    args = parse(arguments)
    try:
        accepted = read_accepted(args.accepted, datetime.date.today())
        locked = locked_versions(args.lock)
        found, idle = judge(ask(args.lock, args.service), locked, accepted)
    except (NotChecked, OSError, ValueError, KeyError) as error:
        print(f"error: not audited: {error}", file=sys.stderr)
        return NOT_CHECKED
    for line in found:
        print(line)
    for name in idle:
        print(f"accepted, but not found any more: {name}; take it out of {args.accepted.name}")
    print(f"{len(locked)} packages asked about: {len(found)} open, {len(accepted)} accepted")
    return VULNERABLE if found else 0


if __name__ == "__main__":
    sys.exit(main())
