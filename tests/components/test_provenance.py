"""What names code and settings."""

from __future__ import annotations

import re
import subprocess

import pytest

from components import provenance


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "a.py").write_text("x = 1\n")
    (tmp_path / "package" / "b.py").write_text("y = 1\n")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


def test_a_changed_moved_or_new_file_changes_the_code_fingerprint(root):
    seen = [provenance.code_fingerprint("package")]
    (root / "package" / "a.py").write_text("x = 2\n")
    seen.append(provenance.code_fingerprint("package"))
    (root / "package" / "a.py").rename(root / "package" / "c.py")
    seen.append(provenance.code_fingerprint("package"))
    (root / "package" / "d.py").touch()
    seen.append(provenance.code_fingerprint("package"))
    assert len(set(seen)) == 4


def test_only_python_files_at_the_given_places_count(root):
    before = provenance.code_fingerprint("package")
    (root / "package" / "notes.txt").write_text("x")
    (root / "other.py").write_text("x")
    assert provenance.code_fingerprint("package") == before
    assert provenance.code_fingerprint("package", "other.py") != before


def test_a_settings_fingerprint_does_not_depend_on_the_order_of_keys():
    assert provenance.settings_fingerprint({"a": 1, "b": 2}) == provenance.settings_fingerprint(
        {"b": 2, "a": 1}
    )
    assert provenance.settings_fingerprint({"a": 1}) != provenance.settings_fingerprint({"a": 2})


def test_the_git_revision_tells_a_changed_tree(root):
    assert provenance.git_revision() == "unknown"
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@y.z"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    assert re.fullmatch("[0-9a-f]{40}", provenance.git_revision())
    (root / "package" / "a.py").write_text("x = 3\n")
    assert provenance.git_revision().endswith("-dirty")


def test_the_revision_of_a_repository_around_the_package_is_not_taken(root, monkeypatch):
    subprocess.run(["git", "-C", str(root), "init", "-q"], check=True)
    monkeypatch.setattr(provenance, "ROOT", root / "package")
    assert provenance.git_revision() == "unknown"
