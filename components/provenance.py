"""Where results come from: the state of the code, and one name for a training run."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tfx import types

ROOT = Path(__file__).resolve().parent.parent
"""Folder that holds the packages ``astromer`` and ``components``."""


def code_fingerprint(*modules: str, files: Sequence[str] = ()) -> str:
    """SHA-256 over the code that some modules depend on, comments and docstrings apart.

    Components carry it as a parameter, since TFX's cache compares parameters and inputs
    alone and would otherwise keep the results of code that has changed.

    Args:
        modules: dotted names, for instance of an executor.
        files: further files that results depend on, relative to the repository root.
    """
    digest = hashlib.sha256()
    for module, file in sorted(import_closure(*modules).items()):
        digest.update(f"{module} {_read(file, file.stat().st_mtime_ns).digest}\n".encode())
    for name in files:
        digest.update(f"{name} {hashlib.sha256((ROOT / name).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def import_closure(*modules: str) -> dict[str, Path]:
    """The modules of this repository that some modules import, directly or not, and their files.

    Imports inside functions count. Of a package whose ``__init__`` is only executed because a
    module in it is imported, they count if something imports a name that ``__init__`` defines.
    """
    found: dict[str, Path] = {}
    whole: set[str] = set()
    waiting = [(name, True) for name in modules]
    while waiting:
        name, all_of_it = waiting.pop()
        file = _file_of(name)
        if file is None or (name in found and (not all_of_it or name in whole)):
            continue
        found[name] = file
        if all_of_it:
            whole.add(name)
        if package := name.rpartition(".")[0]:
            waiting.append((package, False))
        code = _read(file, file.stat().st_mtime_ns)
        for imported in code.imports | code.late_imports if all_of_it else code.imports:
            module, _, part = imported.partition(":")
            if part and _file_of(f"{module}.{part}"):
                waiting.append((f"{module}.{part}", True))
            else:
                waiting.append((module, not part.startswith("__")))
    return found


class _Code(NamedTuple):
    """What counts of a file.

    Attributes:
        digest: SHA-256 of its syntax tree without docstrings.
        imports: what it imports when it is executed: "module", or "module:name".
        late_imports: what its functions import.
    """

    digest: str
    imports: frozenset[str]
    late_imports: frozenset[str]


@functools.cache
def _read(file: Path, modified: int) -> _Code:
    tree = ast.parse(file.read_bytes())
    imports: dict[bool, set[str]] = {False: set(), True: set()}
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, late = waiting.pop()
        if isinstance(node, ast.Import):
            imports[late].update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imports[late].update(f"{node.module}:{alias.name}" for alias in node.names)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += [(child, late) for child in node.orelse]
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            late = True
        if not isinstance(node, ast.expr):
            waiting += [(child, late) for child in ast.iter_child_nodes(node)]
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return _Code(digest, frozenset(imports[False]), frozenset(imports[True]))


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, or a string under a constant that explains it."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _file_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next(
        (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None
    )


def settings_fingerprint(settings: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that name a set of settings; the order of keys does not matter."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def git_revision() -> str:
    """The revision of the working tree, with ``-dirty`` after it if changed, or "unknown"."""
    try:
        top, head = _git("rev-parse", "--show-toplevel", "HEAD").split("\n")
        if Path(top).resolve() != ROOT:
            return "unknown"  # installed inside some other project's repository
        return head + ("-dirty" if _git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError, ValueError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


MISSING_ERRORS, ERROR_FILL = "missing_errors", "error_fill"
"""As in ``MissingErrorsConfig``; custom properties of the Examples, too."""

PROCESSING = "processing"
"""Custom property of the Examples: what was done to the values of the survey, as JSON."""

SOURCES_FILE = "sources.json"
"""In the artifact's folder: by split, the record files and how many records each gave."""

FOLD_PATH = "fold"
DATA_FINGERPRINT = "data_fingerprint"
NUM_CURVES = "num_curves"
NUM_OBSERVATIONS = "num_observations"
"""Custom properties of the Examples artifact; the last two are ``<name>_<split>``.

The data fingerprint tells the content: a copied or touched file keeps it, a changed, added,
removed or reordered light curve does not.
"""


def set_property(artifact: types.Artifact, name: str, value: str | float) -> None:
    """Sets a custom property of the value's type."""
    if isinstance(value, int):
        artifact.set_int_custom_property(name, value)
    elif isinstance(value, float):
        artifact.set_float_custom_property(name, value)
    else:
        artifact.set_string_custom_property(name, str(value))


def flatten(facts: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif isinstance(value, (str, bool, int, float)):
            flat[prefix + name] = value
    return flat
