"""Packages are loaded without what their __init__ drags in, and are whole when asked."""

from __future__ import annotations

import gc
import importlib
import sys
from contextlib import AbstractContextManager
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2
from ml_metadata.proto import metadata_store_pb2 as pb
from tfx.orchestration import metadata
from tfx.orchestration.portable.input_resolution import channel_resolver

from pipeline.local.metadata import metadata_database
from pipeline.local.metadata_store import open_store
from pipeline.tfx_patches import executions_in_all, patched_tfx, postpone, quick_imports

_RUN = """
import sys
from astromer.system.logs import silence
silence()
from pipeline.tfx_patches import quick_imports
with quick_imports():
    from pipeline import finetune_pipeline, pipeline
    from pipeline.local import dag_runner, summary
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


@pytest.mark.slow
def test_a_run_loads_no_cluster_client_and_can_still_get_everything(toy):
    # tensorflow_transform sets it for good where other tests have imported all of TFX.
    done = toy.python("-c", _RUN, env={"TF_USE_LEGACY_KERAS": "0"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "end",
        "tfx.components.tuner.component EvalConfig",
    ]


def test_the_same_executions_are_found_as_tfx_finds(tmp_path: Path) -> None:
    store = open_store(metadata_database(f"sqlite:///{tmp_path}/metadata.db", tmp_path, {}))
    kind = store.put_execution_type(pb.ExecutionType(name="Work"))
    of_node = store.put_context_type(pb.ContextType(name="node"))
    places = store.put_contexts([pb.Context(type_id=of_node, name=f"c{n}") for n in range(4)])
    made = store.put_executions([pb.Execution(type_id=kind) for _ in range(12)])
    store.put_attributions_and_associations(
        [],
        [
            pb.Association(execution_id=number, context_id=place)
            for number in made
            for index, place in enumerate(places[:3])
            if number % (index + 1) == 0
        ],
    )
    contexts = store.get_contexts_by_id(places)
    expected = channel_resolver._get_executions_by_all_contexts
    sizes = set()
    for count in range(4):
        for chosen in combinations(contexts, count):
            found = executions_in_all(store, chosen)
            assert found == sorted(expected(store, chosen), key=lambda each: each.id)
            sizes.add(len(found))
    assert sizes == {0, 2, 4, 6, 12}
    with patched_tfx(print, server=False):
        assert channel_resolver._get_executions_by_all_contexts is executions_in_all
    assert channel_resolver._get_executions_by_all_contexts is expected


LONG = "ä" * 5000


def on_server() -> AbstractContextManager[None]:
    return patched_tfx(print, server=True)


def test_parameters_of_executions_are_shortened_and_told_apart():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    with on_server(), metadata.Metadata(config) as handle:
        store = handle.store
        kind = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Run"))
        ids = []
        for text in (LONG, LONG + "b", "short"):
            execution = metadata_store_pb2.Execution(type_id=kind)
            execution.custom_properties["settings"].string_value = text
            ids += store.put_executions([execution])
            ids += [store.put_execution(execution, [], [])[0]]
        kept = [
            each.custom_properties["settings"].string_value
            for each in store.get_executions_by_id(ids)
        ]
    assert all(len(text.encode()) <= 2000 for text in kept)
    assert kept[0] == kept[1] != kept[2] == kept[3]
    assert kept[0].startswith("ää")
    assert kept[4] == kept[5] == "short"


def test_rows_come_by_their_ids_unless_another_order_is_asked_for():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    with on_server(), metadata.Metadata(config) as handle:
        store = handle.store
        kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Thing"))
        ids = store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind) for _ in range(3)])
        options = metadata_store.ListOptions(order_by=metadata_store.OrderByField.ID, is_asc=False)
        backwards = store.get_artifacts(list_options=options)
    assert [each.id for each in backwards] == ids[::-1]

    response = metadata_store_service_pb2.GetArtifactsByIDResponse(
        artifacts=[metadata_store_pb2.Artifact(id=number) for number in (3, 1, 2)]
    )
    with (
        mock.patch.object(metadata_store.MetadataStore, "_call", _answer(response)),
        on_server(),
        metadata.Metadata(config) as handle,
    ):
        assert [each.id for each in handle.store.get_artifacts_by_id([1, 2, 3])] == [1, 2, 3]


def test_types_come_as_they_were_asked_for():
    config = metadata_store_pb2.ConnectionConfig()
    config.fake_database.SetInParent()
    with on_server(), metadata.Metadata(config) as handle:
        first, second = (
            handle.store.put_artifact_type(metadata_store_pb2.ArtifactType(name=name))
            for name in ("First", "Second")
        )
        types = handle.store.get_artifact_types_by_id([second, first, second])
    assert [each.name for each in types] == ["Second", "First", "Second"]


def _answer(prepared: Any) -> Any:
    def call(self: Any, method: str, request: Any, response: Any, *rest: Any) -> None:
        response.CopyFrom(prepared)

    return call
