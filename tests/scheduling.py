"""How the tests are shared out among the processes of pytest-xdist."""

from __future__ import annotations

import os

from xdist.scheduler import LoadScopeScheduling

# These share models that take long to make: one process makes them and runs all of the folder.
TOGETHER = ("tests/servers", "tests/astromer/finetuning", "tests/docs")
# What takes longest is begun first, so that no process is left with it while the others are idle.
FIRST = (
    "tests/pipeline",
    "tests/astromer/test_crossing.py",
    *TOGETHER,
    "tests/components",
    "tests/astromer/training",
    "tests/presentation",
)

# What `make test` leaves to `make test-slow`: clusters, servers, databases, environments, pages.
SLOW = (
    "tests/docs/test_blocks.py::test_page",
    "tests/docs/test_blocks.py::test_readme",
    "tests/docs/test_notebook.py",
    "tests/docs/test_sentences.py::test_a_command",
    "tests/docs/test_user_documents.py::test_the_training",
    "tests/docs/test_user_documents.py::test_every",
    "tests/servers",
    "tests/pipeline/test_spec_runner.py",
    "tests/pipeline/test_metadata_servers.py",
    "tests/pipeline/test_finetune_end_to_end.py",
    "tests/pipeline/test_code_changes.py",
    "tests/pipeline/test_stores.py",
    "tests/pipeline/local/test_folds.py",
    "tests/components/test_trainer_workers.py",
    "tests/components/test_beam_runners.py",
    "tests/components/test_vertex_trainer.py",
    "tests/astromer/commands/test_export_onnx.py",
    "tests/astromer/finetuning/test_served_classifier.py",
    "tests/astromer/serving/test_phase.py::test_the_onnx",
    "tests/astromer/training/test_phase.py::test_precision",
    "tests/astromer/training/test_phase.py::test_two_replicas",
    "tests/astromer/training/test_replicas.py",
    "tests/astromer/training/test_workers.py",
    "tests/astromer/system/storage/test_science.py",
    "tests/test_install.py",
    "tests/test_image.py",
    "tests/test_odd_paths.py",
    "tests/test_places.py",
)


def marks(nodeid: str) -> list[str]:
    """The marks of a test that follow from where it is."""
    found = ["slow"] if nodeid.startswith(SLOW) else []
    return [*found, "tools"] if nodeid.startswith("tools/") else found


def unit(nodeid: str) -> str:
    """What one process runs as a whole: a file, or a folder of :data:`TOGETHER`."""
    file = nodeid.split("::", 1)[0]
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def rank(nodeid: str) -> int:
    """The lower, the earlier."""
    places = (place for place, start in enumerate(FIRST) if nodeid.startswith(start))
    return next(places, len(FIRST))


def use_one_thread_each() -> None:
    """With a process for each core or more, more threads would only take turns.

    Programs that tests start inherit it. Logical devices and workers are as many as ever.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


class ByUnit(LoadScopeScheduling):
    """Hands out whole units, in the order of the tests."""

    def __init__(self, config, log=None):
        super().__init__(config, log)
        config.option.loadscopereorder = False  # it would begin with many tests, not with long ones

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
