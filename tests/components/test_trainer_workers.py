"""The Trainer component on several hosts: as one worker, and what happens when one is lost."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfx.types import standard_artifacts

from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.serving.export import load_model
from astromer.system.distribution import HEARTBEAT_SECONDS
from astromer.training.config import TrainingConfig
from components.trainer.executor import Executor
from tests.components.cluster_jobs import Job, executor_command, tfjob
from tests.components.conftest import artifact, run_example_gen
from tests.components.test_trainer import make_trainer
from tests.standins.hosts import Hosts

EXECUTOR = "components.trainer.executor.Executor"
TRAINING = TrainingConfig(epochs=3, batch_size=16, learning_rate=0.003, checkpoint_seconds=0.0)
LONG = TrainingConfig(
    epochs=12, patience=12, batch_size=16, learning_rate=1e-4, checkpoint_seconds=0.0
)

pytestmark = pytest.mark.slow


@dataclass
class Run:
    """What a run of the Trainer is given and what it leaves."""

    folder: Path
    examples: Any
    training: TrainingConfig = TRAINING

    def __post_init__(self) -> None:
        self.model = artifact(standard_artifacts.Model, self.folder / "model")
        self.model_run = artifact(standard_artifacts.ModelRun, self.folder / "model_run")

    @property
    def artifacts(self) -> tuple[dict, dict, dict]:
        trainer = make_trainer(self.folder / "training", training=self.training)
        return (
            {"examples": [self.examples]},
            {"model": [self.model], "model_run": [self.model_run]},
            trainer.exec_properties,
        )

    def here(self) -> Run:
        """Runs it in this process, alone."""
        Executor().Do(*self.artifacts)
        return self

    def start(self, replicas: dict[str, int], hosts: Hosts, name: str = "logs") -> Job:
        """Runs it on several hosts as a TFJob; each writes down what it was given to write to."""
        environments = tfjob(replicas, hosts)
        command = executor_command(EXECUTOR, *self.artifacts)
        temporary = [self.folder / f"tmp-{i}" for i in range(len(environments))]
        for each in temporary:
            each.mkdir(exist_ok=True)
        environments = [{**e, "TMPDIR": str(t)} for e, t in zip(environments, temporary)]
        return Job([command] * len(environments), environments, self.folder / name, hosts)

    @property
    def history(self) -> list[dict[str, float]]:
        return json.loads((self.folder / "model/training.json").read_text())["history"]

    @property
    def weights(self) -> dict[str, np.ndarray]:
        model = load_model(self.folder / "model/Format-Serving")
        return {v.path: np.asarray(v) for v in model.variables}

    @property
    def checkpoint(self) -> Path | None:
        return next((self.folder / "training").glob("*/checkpoints/state.npz"), None)


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with Hosts(3) as found:
        yield found


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory):
    from tests.pipeline.folds import write_fold

    folder = tmp_path_factory.mktemp("data")
    return run_example_gen(write_fold(folder / "fold"), folder / "examples")


def assert_same(one: Run, several: Run, tolerance: float = 1e-4) -> None:
    assert len(one.history) == len(several.history)
    for here, there in zip(one.history, several.history):
        for metric in ("train_loss", "val_hidden_rmse"):
            assert here[metric] == pytest.approx(there[metric], abs=tolerance), metric
    weights = several.weights
    for path, expected in one.weights.items():
        got = weights[path]
        if path.endswith("qkv/bias"):
            # No output depends on the keys' bias: its gradient is rounding, which Adam blows up.
            width = len(expected) // 3
            got, expected = (np.delete(b, np.s_[width : 2 * width]) for b in (got, expected))
        assert got == pytest.approx(expected, abs=tolerance), path


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_tfjob_s_chief_and_worker_train_the_model_of_one_worker(tmp_path, examples, hosts):
    several = Run(tmp_path / "several", examples)
    with several.start({"chief": 1, "worker": 1, "ps": 1}, hosts) as job:
        one = Run(tmp_path / "one", examples).here()
        assert job.wait() == [0, 0], job.told()

    assert one.history[0]["train_loss"] - one.history[-1]["train_loss"] > 0.005
    assert_same(one, several)
    # Nothing was written twice, nothing by the worker, and all that one process writes is there.
    ours = {name for name in written(several.folder) if not name.startswith(("tmp-", "logs/"))}
    fixed = {name for name in ours if "events.out" not in name}
    assert fixed == {name for name in written(one.folder) if "events.out" not in name}
    events = [name for name in ours if "events.out" in name]
    folders = {name.rpartition("/")[0].partition("/logs")[2] for name in events}
    assert folders == {"", "/train", "/validation", *(f"/{name}" for name in BASELINE_TITLES)}
    assert len(events) == len(folders)
    assert f".{job.processes[0].pid}." in events[0]
    facts = json.loads((several.folder / "model/training.json").read_text())
    assert facts["summary"]["replicas"] == 2


def test_a_lost_worker_ends_the_others_and_a_restart_of_all_goes_on(tmp_path, examples, hosts):
    run = Run(tmp_path / "run", examples, LONG)
    with run.start({"worker": 2}, hosts, "lost") as job:
        job.wait_until(lambda: run.checkpoint is not None)
        job.processes[1].send_signal(signal.SIGKILL)
        lost = time.monotonic()
        codes = job.wait(60)
        assert time.monotonic() - lost < HEARTBEAT_SECONDS + 20
    assert codes == [138, -signal.SIGKILL], job.told()
    last = job.logs[0].read_text().strip().splitlines()[-1]
    assert last.startswith("error: "), last
    assert "worker 1 is lost" in last
    assert "same command" in last
    assert not (run.folder / "model/Format-Serving").exists()
    assert run.checkpoint is not None

    with run.start({"worker": 2}, hosts, "again") as job:
        one = Run(tmp_path / "one", examples, LONG).here()
        assert job.wait() == [0, 0], job.told()
    assert all("Resuming from" in log.read_text() for log in job.logs)
    assert_same(one, run)
