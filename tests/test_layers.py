"""Imports go one way: programs -> pipeline -> components or pipeline_config -> astromer."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

TFX = ("tfx", "apache_beam", "tensorflow_data_validation", "tensorflow_metadata", "ml_metadata")
OWN = ("astromer", "components", "pipeline", "presentation", "tools", "pipeline_config")
RUNNERS = ("LocalDagRunner", "KubeflowDagRunner", "KubeflowV2DagRunner", "BeamDagRunner")
ORCHESTRATORS = (
    *RUNNERS,
    "kfp",
    "kfp_server_api",
    "google.auth",
    "google.cloud",
    "ml_metadata",
    *(
        f"tfx.orchestration.{name}"
        for name in ("beam", "data_types", "kubeflow", "local", "metadata", "portable")
    ),
    *(f"tfx.v1.orchestration.{name}" for name in ("experimental", "metadata", *RUNNERS)),
)


@dataclass(frozen=True)
class Layer:
    """What the files that match a pattern must not import; a name covers what is below it."""

    files: str
    forbidden: tuple[str, ...]
    reason: str
    unless: tuple[str, ...] = ()


LAYERS = (
    Layer(
        "astromer/*",
        (*TFX, "components", "pipeline", "presentation", "tools", "pipeline_config"),
        "the science must work, and be installable, without TFX",
    ),
    Layer("components/*", ("numpy",), "components do no mathematics; that is astromer's"),
    Layer(
        "components/*",
        (
            "pipeline",
            "pipeline_config",
            "presentation",
            "tools",
            "kfp",
            "tfx.orchestration.local",
            "tfx.orchestration.kubeflow",
        ),
        "components must not know who assembles and runs them",
    ),
    Layer(
        "pipeline/*",
        ORCHESTRATORS,
        "only the runners know where the pipeline runs",
        unless=(
            "pipeline/*_runner.py",
            "pipeline/local/artifact_content.py",
            "pipeline/tfx_patches.py",
            "pipeline/local/metadata_store.py",
        ),
    ),
    Layer(
        "pipeline/*",
        ("presentation", "tools", "numpy", "tensorflow"),
        "the pipeline only assembles",
    ),
    Layer(
        "presentation/*",
        (*TFX, "components", "pipeline", "tensorflow", "numpy", "tools"),
        "the scripts are thin: arguments in, astromer called",
    ),
    Layer(
        "tools/faults/*",
        (*TFX, "components.trainer", "pipeline.pipeline", "pipeline.local_runner", "presentation"),
        "a campaign drives the product from outside, by its commands",
    ),
)

HOOKS = {"astromer/commands/embed.py": ("pipeline.embed_on_beam.embed_on_beam",)}
"""Imports upwards inside a function, which only an option reaches that needs what is there."""

FLOORS = (
    ("system", "light_curves"),
    ("records", "periodogram", "windows"),
    ("validation", "encoder"),
    ("evaluation",),
    ("serving", "training"),
    ("explore", "finetuning", "reports"),
    ("commands",),
    ("__main__",),
)
"""What stands in astromer/, from the ground up: each imports from lower floors alone."""


def imports(source: str, package: str = "") -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports, at any depth, whatever the form.

    ``from a import b`` gives ``a.b``: b may be a module.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            parts = [*(above if node.level else []), *([node.module] if node.module else [])]
            for alias in node.names:
                yield node.lineno, ".".join([*parts, alias.name])
        elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value
        elif isinstance(node, ast.Attribute) and node.attr in RUNNERS:
            yield node.lineno, node.attr  # as in tfx.orchestration.LocalDagRunner()


def _package(file: Path) -> str:
    return ".".join(file.parent.parts)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def modules(root: Path) -> list[Path]:
    """The project's own modules, tests apart."""
    found = [path for name in OWN for path in (root / name).rglob("*.py")]
    of_tests = root / "tools" / "tests"
    return sorted([*(p for p in found if of_tests not in p.parents), root / "pipeline_config.py"])


def violations(root: Path) -> list[str]:
    """Every import against the layers, as ``file:line imports name: reason``."""
    found = []
    for path in modules(root):
        file = path.relative_to(root).as_posix()
        names = list(imports(path.read_text(encoding="utf-8"), _package(Path(file))))
        for layer in LAYERS:
            if not fnmatch(file, layer.files) or any(fnmatch(file, u) for u in layer.unless):
                continue
            for line, name in names:
                if name in HOOKS.get(file, ()):
                    continue
                if any(f"{name}.".startswith(f"{bad}.") for bad in layer.forbidden):
                    found.append(f"{file}:{line} imports {name}: {layer.reason}")
        if file == "pipeline_config.py":
            foreign = [
                (line, name)
                for line, name in names
                if name.split(".")[0] not in sys.stdlib_module_names
                and not fnmatch(name, "astromer.*.config.*")
                and name != "astromer.system.errors.UsageError"
            ]
            reason = "it composes config modules, which import nothing heavy"
            found += [f"{file}:{line} imports {name}: {reason}" for line, name in foreign]
    return found


def test_no_import_goes_against_the_layers():
    assert violations(ROOT) == []


def test_the_imports_upwards_are_in_use():
    for file, names in HOOKS.items():
        source = (ROOT / file).read_text(encoding="utf-8")
        assert set(names) <= {name for _, name in imports(source)}
        assert not re.search(r"^(from|import) pipeline", source, re.MULTILINE)


def test_the_floors_of_astromer():
    """No import runs up, or from one folder of a floor to another; so there is no circle."""
    floor_of = {name: floor for floor, names in enumerate(FLOORS, 1) for name in names}
    files = sorted((ROOT / "astromer").rglob("*.py"))
    against, arrows = [], set()
    for path in files:
        here = path.relative_to(ROOT / "astromer").parts[0].removesuffix(".py")
        for line, name in imports(path.read_text(encoding="utf-8"), _package(path)):
            package, _, rest = name.partition(".")
            there = rest.split(".")[0]
            if package != "astromer" or there not in floor_of or here in ("__init__", there):
                continue
            arrows.add((here, there))
            if floor_of[there] >= floor_of[here]:
                against.append(f"{path}:{line} imports {name}")
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    print(f"{len(FLOORS)} floors, {len(arrows)} arrows, {len(files)} files, {lines} lines")
    assert against == []


def test_the_top_of_astromer_is_a_dozen_names():
    names = {path.name for path in (ROOT / "astromer").iterdir() if path.name != "__pycache__"}
    known = {name for floor in FLOORS for name in floor} - {"light_curves", "__main__"}
    assert names == {*known, "light_curves.py", "__init__.py", "__main__.py", "py.typed"}
    assert len(names) <= 3 + 14


def test_these_modules_and_no_others_know_an_orchestrator():
    """The rest, the pipeline's definition above all, runs wherever a runner takes it."""
    knowing = set()
    for path in modules(ROOT):
        file = path.relative_to(ROOT)
        names = [name for _, name in imports(path.read_text(encoding="utf-8"), _package(file))]
        if any(f"{name}.".startswith(f"{known}.") for name in names for known in ORCHESTRATORS):
            knowing.add(file.as_posix())
    assert knowing == {
        # What resolvers look up in a metadata store.
        "components/pushed_version.py",
        "pipeline/cluster/cluster_runner.py",
        "pipeline/local/dag_runner.py",
        "pipeline/kubeflow_runner.py",
        # Connections to a metadata store, and what killed runs left there.
        "pipeline/local/artifact_content.py",
        "pipeline/tfx_patches.py",
        "pipeline/local/metadata_store.py",
        "pipeline/task_runner.py",
        "pipeline/vertex_runner.py",
    }


def test_the_modules_are_found():
    files = {path.relative_to(ROOT).as_posix() for path in modules(ROOT)}
    assert {
        "astromer/windows/batches.py",
        "astromer/records/codec.py",
        "pipeline_config.py",
    } <= files


@pytest.mark.parametrize(
    ("file", "code", "name"),
    [
        ("astromer/a.py", "import tfx", "tfx"),
        ("astromer/deep/er/a.py", "from tfx import v1 as tfx", "tfx.v1"),
        ("astromer/a.py", "def f():\n    import apache_beam as beam", "apache_beam"),
        ("astromer/a.py", "if True:\n    from components.x import y", "components.x.y"),
        ("astromer/a.py", "import importlib\nimportlib.import_module('tfx.v1')", "tfx.v1"),
        ("astromer/a.py", "__import__('pipeline.pipeline')", "pipeline.pipeline"),
        ("components/a/b.py", "import numpy as np", "numpy"),
        ("components/a/b.py", "from pipeline import pipeline", "pipeline.pipeline"),
        ("components/a/b.py", "from ... import pipeline", "pipeline"),
        ("components/a/b.py", "from tfx.orchestration import local", "tfx.orchestration.local"),
        ("pipeline/pipeline.py", "from tfx.orchestration import metadata", "tfx.orchestration"),
        ("pipeline/pipeline.py", "import ml_metadata", "ml_metadata"),
        (
            "pipeline/cluster/spec.py",
            "from google.cloud import aiplatform",
            "google.cloud.aiplatform",
        ),
        ("pipeline/pipeline.py", "from tfx.orchestration import data_types", "tfx.orchestration"),
        ("components/a.py", "from kfp import dsl", "kfp.dsl"),
        ("pipeline/pipeline.py", "from tfx.v1.orchestration import LocalDagRunner", "tfx.v1"),
        ("pipeline/a.py", "def f(tfx):\n    tfx.orchestration.LocalDagRunner()", "LocalDagRunner"),
        ("presentation/scripts/a.py", "import tensorflow as tf", "tensorflow"),
        ("astromer/a.py", "from tools.faults import kill", "tools.faults.kill"),
        ("tools/faults/a.py", "from pipeline import local_runner", "pipeline.local_runner"),
        ("tools/faults/a.py", "from ml_metadata import metadata_store", "ml_metadata"),
        ("astromer/a.py", "from pipeline_config import LightCurveRules", "pipeline_config"),
        ("pipeline_config.py", "import numpy", "numpy"),
        ("pipeline_config.py", "from astromer.system import errors", "astromer.system.errors"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, file, code, name):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "pipeline_config.py").touch()
    (tmp_path / file).write_text(code)
    (found,) = violations(tmp_path)
    assert found.startswith(f"{file}:{len(code.splitlines())} imports {name}")


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (
            "astromer/a.py",
            "import numpy, tensorflow\nfrom astromer.system import errors",
        ),
        ("astromer/records/a.py", "from . import codec\nfrom ..errors import UsageError"),
        (
            "components/a/b.py",
            "from tfx import v1\nimport astromer\nfrom tfx.types import artifact",
        ),
        ("pipeline/local_runner.py", "from tfx.orchestration.local import local_dag_runner"),
        ("pipeline/pipeline.py", "from components.trainer import component"),
        (
            "pipeline/pipeline.py",
            "from tfx.orchestration import pipeline\nfrom tfx import v1 as tfx",
        ),
        ("presentation/scripts/a.py", "import astromer.training\nfrom pipeline_config import knob"),
        ("pipeline_config.py", "import dataclasses, typing"),
        ("pipeline_config.py", "from astromer.windows.config import MaskingConfig"),
    ],
)
def test_what_a_layer_may_import_is_not_reported(tmp_path, file, code):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "pipeline_config.py").touch()
    (tmp_path / file).write_text(code)
    assert violations(tmp_path) == []


def test_what_is_imported_from_the_project_exists():
    """Also inside functions; mypy passes over modules that it does not find."""

    def is_module(name: str) -> bool:
        path = ROOT.joinpath(*name.split("."))
        return path.with_suffix(".py").is_file() or path.is_dir()

    tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tools" / "tests").rglob("*.py")]
    lost = []
    for path in [*modules(ROOT), *tests]:
        package = _package(path.relative_to(ROOT))
        for line, name in imports(path.read_text(encoding="utf-8"), package):
            if name.split(".")[0] not in (*OWN, "tests") or is_module(name):
                continue
            holder = ROOT.joinpath(*name.split(".")[:-1])
            if not (holder.with_suffix(".py").is_file() or (holder / "__init__.py").is_file()):
                lost.append(f"{path}:{line} imports {name}")
    assert lost == []


def test_importing_astromer_loads_neither_tensorflow_nor_tfx():
    code = "import sys, astromer; print(*(m for m in ('tensorflow', 'tfx') if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
