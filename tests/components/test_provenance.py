"""What names code and settings."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from components import provenance

ROOT = provenance.ROOT

DEPENDENCIES = {
    "trainer.executor trainer.run_fn": """
        light_curves encoder evaluation finetuning periodogram records records.synthetic serving
        serving.starter system system.storage training training.tensorboard validation windows
        components components.trainer
    """,
    "evaluator.component": """
        light_curves encoder evaluation periodogram records serving system system.storage windows
        components components.evaluator
    """,
    "validator.executor": """
        light_curves records system system.html system.storage validation
        components components.validator
    """,
    "example_gen.executor": """
        light_curves records system system.storage components components.example_gen
    """,
    "statistics.executor": """
        light_curves records system system.storage validation
        components components.schema components.statistics
    """,
    "finetuner.component": """
        light_curves encoder evaluation finetuning periodogram records records.sources serving
        serving.starter serving.versions system
        system.html system.storage training validation windows
        components components.evaluator components.finetuner
    """,
    "finetuner.judge": """
        light_curves encoder evaluation finetuning periodogram records records.sources serving
        serving.starter serving.versions system
        system.html system.storage training validation windows
        components components.evaluator components.finetuner
    """,
    "reporter.executor": """
        light_curves encoder evaluation periodogram records records.sources reports serving system
        system.html system.storage training training.tensorboard validation windows
        components components.evaluator components.reporter
    """,
}
"""By the modules of an executor, the folders (and files) of astromer and components whose code
decides whether it works again."""


@pytest.mark.parametrize("executor", DEPENDENCIES)
def test_what_an_executor_depends_on_is_known(executor):
    closure = provenance.import_closure(*(f"components.{module}" for module in executor.split()))
    found = set()
    for module, file in closure.items():
        name = module if file.name == "__init__.py" else module.rpartition(".")[0]
        if name == "astromer" and file.name != "__init__.py":
            name = module
        found.add(name.removeprefix("astromer").removeprefix(".") or "astromer")
    assert found == {"astromer", *DEPENDENCIES[executor].split()}


@pytest.mark.slow
def test_everything_that_an_executor_imports_counts():
    """The closure is read from the source; Python says what it really imports."""
    program = (
        "import sys, components.trainer.executor, components.trainer.run_fn\n"
        "print(*(name for name, module in sys.modules.items() if getattr(module, '__file__', None)"
        " and name.partition('.')[0] in ('astromer', 'components', 'pipeline_config')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    closure = provenance.import_closure("components.trainer.executor", "components.trainer.run_fn")
    assert set(done.stdout.split()) <= set(closure)


@pytest.fixture
def root(tmp_path, monkeypatch):
    files = {
        "__init__": "from package.base import B\ndef load():\n    import package.far\n",
        "base": "B = 1\n",
        "a": "from package import b\nx = 1\n",
        "b": "def late():\n    from package.c import C\n",
        "c": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import package.far\nC = 1\n",
        "far": "F = 1\n",
        "user": "from package import load\n",
    }
    (tmp_path / "package").mkdir()
    for name, text in files.items():
        (tmp_path / "package" / f"{name}.py").write_text(text)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


def test_imports_are_followed_into_functions_and_packages(root):
    names = {"package", "package.base", "package.a", "package.b", "package.c"}
    assert set(provenance.import_closure("package.a")) == names
    assert "package.far" in provenance.import_closure("package.user")


def test_a_change_of_code_that_is_imported_changes_the_fingerprint(root):
    seen = [provenance.code_fingerprint("package.a")]
    for name in ("a", "b", "c", "base", "__init__"):
        with open(root / "package" / f"{name}.py", "a") as file:
            file.write("more = 2\n")
        seen.append(provenance.code_fingerprint("package.a"))
    (root / "notes.txt").write_text("x")
    seen.append(provenance.code_fingerprint("package.a", files=["notes.txt"]))
    (root / "notes.txt").write_text("y")
    seen.append(provenance.code_fingerprint("package.a", files=["notes.txt"]))
    assert len(set(seen)) == 8


def test_other_code_comments_and_docstrings_do_not_change_the_fingerprint(root):
    before = provenance.code_fingerprint("package.a")
    (root / "package" / "far.py").write_text("F = 2\n")
    file = root / "package" / "a.py"
    file.write_text(f'"""Says what it is."""\n# A comment.\n{file.read_text()}\n"""About x."""\n')
    assert provenance.code_fingerprint("package.a") == before


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
