"""Packages are loaded without what their __init__ drags in, and are whole when asked."""

from __future__ import annotations

import gc
import importlib
import sys
from pathlib import Path

import pytest

from pipeline.quick_imports import postpone, quick_imports

_RUN = """
import sys
from astromer.system.logs import silence
silence()
from pipeline.quick_imports import quick_imports
with quick_imports():
    from pipeline import dag_runner, finetune_pipeline, pipeline, summary
heavy = ("kubernetes", "keras_tuner", "nltk", "tf_keras", "google.cloud.aiplatform")
print(*(name for name in heavy if name in sys.modules), "end")
from tfx.components import Tuner
import tensorflow_model_analysis as tfma
print(Tuner.__module__, tfma.EvalConfig.__name__)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package in a package, whose __init__ leaves a trace."""
    inner = tmp_path / "outer_of_test" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").touch()
    (inner / "__init__.py").write_text(
        f"open({str(tmp_path / 'trace')!r}, 'a').write('run')\n"
        "from outer_of_test.inner.part import VALUE as ANSWER\n"
        "__all__ = ['ANSWER']\n"
    )
    (inner / "part.py").write_text("VALUE = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path / "trace"
    for name in [name for name in sys.modules if name.startswith("outer_of_test")]:
        del sys.modules[name]


def test_a_submodule_is_imported_without_the_package_around_it(package):
    postpone("outer_of_test.inner")
    import outer_of_test.inner.part
    from outer_of_test.inner import part

    assert part.VALUE == outer_of_test.inner.part.VALUE == 42
    assert not package.exists()


def test_a_name_of_the_package_runs_it_once(package):
    postpone("outer_of_test.inner")
    import outer_of_test.inner as inner

    assert inner.ANSWER == 42
    assert inner.ANSWER == 42
    with pytest.raises(AttributeError, match="nothing"):
        _ = inner.nothing
    assert package.read_text() == "run"


def test_all_names_of_the_package_come_with_a_star(package):
    postpone("outer_of_test.inner")
    names: dict = {}
    exec("from outer_of_test.inner import *", names)
    assert names["ANSWER"] == 42


def test_what_is_loaded_or_missing_stays_as_it_is(package):
    import outer_of_test.inner as inner

    postpone("outer_of_test.inner")
    postpone("no_such_package_at_all")
    assert sys.modules["outer_of_test.inner"] is inner
    assert "no_such_package_at_all" not in sys.modules


def test_garbage_is_collected_again_afterwards():
    with pytest.raises(ZeroDivisionError), quick_imports():
        assert not gc.isenabled()
        _ = 1 / 0
    assert gc.isenabled()


def test_a_run_loads_no_cluster_client_and_can_still_get_everything(toy):
    # tensorflow_transform sets it for good where other tests have imported all of TFX.
    done = toy.python("-c", _RUN, env={"TF_USE_LEGACY_KERAS": "0"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "end",
        "tfx.components.tuner.component EvalConfig",
    ]
