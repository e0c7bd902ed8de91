"""Components with artifacts in a store, as on Kubeflow and Vertex AI."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from astromer.system.storage import RemotePath
from tests.components.test_pusher import push, saved_model

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "components").rglob("*.py"))
# The program's own source lies on the machine that runs it.
OWN_SOURCE = ("components/beam.py", "components/provenance.py")
HARMLESS = {
    "os.environ",
    "os.environ.get",
    "os.getpid",
    "os.path.basename",
    "os.path.join",
    "shutil.which",
}


def calls(source: str) -> list[tuple[int, str]]:
    """Line and dotted name of every call."""
    return [
        (node.lineno, ast.unparse(node.func))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    ]


def raw_uses(name: str, source: str) -> list[str]:
    """Calls that take a path for a local one."""
    found = []
    for line, call in calls(source):
        top = call.split(".")[0]
        raw = call in ("open", "Path", "io.open") or top in ("os", "shutil", "tempfile", "filecmp")
        if raw and call not in HARMLESS:
            found.append(f"{name}:{line}: {call}")
    return found


def test_no_component_takes_a_uri_for_a_local_path():
    found = []
    for file in FILES:
        name = file.relative_to(ROOT).as_posix()
        if name not in OWN_SOURCE:
            found += raw_uses(name, file.read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source", ["open(uri)", "Path(artifact.uri)", "os.listdir(uri)", "shutil.copytree(a, b)"]
)
def test_such_uses_are_found(source):
    assert raw_uses("components/x.py", f"def f(a):\n    {source}\n")


def test_the_executor_pushes_to_a_store_once(store: RemotePath, tmp_path: Path):
    serving = store / "serving" / "astromer"
    model = saved_model(tmp_path / "model")
    one, again = (push(model, serving, tmp_path / name) for name in ("one", "two"))
    destination = one.get_string_custom_property("pushed_destination")
    assert destination.startswith(f"{serving}/")
    assert again.get_string_custom_property("pushed_destination") == destination
    assert (RemotePath(destination) / "assets.extra" / "weights.npz").read_text() == "w"
