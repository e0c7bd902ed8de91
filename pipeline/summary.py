"""What a run did, in a screenful."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from tfx.types import Artifact

from astromer.storage import as_path
from astromer.versions.folder import WITHDRAWN
from astromer.versions.moving import current
from components.evaluator.component import METRICS_FILE
from components.trainer.executor import FACTS_FILE
from pipeline.dag_runner import Step
from pipeline.pipeline import EVALUATOR, PUSHER, TRAINER
from pipeline.reports import find_report


class Outcome:
    """The outcome of a run.

    Attributes:
        blessed: whether the model may be served.
        reasons: why not.
        evaluation: folder with its metrics and tables.
    """

    def __init__(self, steps: Mapping[str, Step], output: Path):
        self._steps = steps
        self._page, self._problems = find_report(steps, output)
        self._facts = json.loads(
            (as_path(self._output(TRAINER, "model").uri) / FACTS_FILE).read_text()
        )
        self.evaluation = as_path(self._output(EVALUATOR, "evaluation").uri)
        self._metrics = json.loads((self.evaluation / METRICS_FILE).read_text())
        blessing = self._output(EVALUATOR, "blessing")
        self.blessed = blessing.get_int_custom_property("blessed") == 1
        self.reasons = blessing.get_string_custom_property("reasons")

    def text(self) -> str:
        """What was trained, how good it is, and where the page about it is."""
        lines = ["", _trained(self._facts), "", _scores(self._metrics), ""]
        if self._problems:
            lines.append(f"warning: {self._problems}")
        if self._page is not None:
            lines.append(f"run report:          {_short(self._page)}")
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        """Leaves the scores on hidden steps, of the model and the baselines, as JSON."""
        scores = {key: value for key, value in self._metrics["model"].items() if "hidden" in key}
        content = {"blessed": self.blessed, "evaluation": str(self.evaluation), "scores": scores}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def next_step(self, data: str) -> str:
        """Where a pushed model is, and a command that uses it on the same data."""
        pushed = self._output(PUSHER, "pushed_model")
        version = pushed.get_string_custom_property("pushed_destination")
        return (
            f"{pushed_line(self._steps[PUSHER])}\n"
            f"TensorBoard logs:    {_short(self._facts['log_dir'])}\n"
            f"next: {_python()} -m astromer.embed --model {_short(served_from(version))} "
            f"--data {_short(data)} --out embeddings.parquet"
        )

    def _output(self, component: str, key: str) -> Artifact:
        return self._steps[component].outputs[key][0]


def pushed_line(step: Step) -> str:
    """Where the model is that the Pusher pushed, and what users of the folder get."""
    pushed = step.outputs["pushed_model"][0]
    version = as_path(pushed.get_string_custom_property("pushed_destination"))
    folder = served_from(version)
    program = f"{_python()} -m astromer.versions"
    if pushed.get_int_custom_property(WITHDRAWN):
        return (
            f"SavedModel (withdrawn before, left so): {_short(version)}\n"
            f"bring it back:       {program} restore {version.name} --model {_short(folder)}"
        )
    line = f"SavedModel ({'as before' if step.cached else 'pushed'}): {_short(version)}"
    named = current(folder)
    if named is None or named == version:
        return line
    return (
        f"{line}\nlatest stays at:     {named.name}; to go over to the new one: {program} promote "
        f"{version.name} --model {_short(folder)}"
    )


def served_from(version: str | Path) -> Path:
    """The folder of versions that a version belongs to, in service or withdrawn."""
    folder = as_path(version).parent
    return folder.parent if folder.name == WITHDRAWN else folder


def _short(path: str | Path) -> str:
    """The path as a shell takes it, from the current folder where it lies below."""
    path = as_path(path)
    below = path.is_relative_to(Path.cwd())
    return shlex.quote(str(path.relative_to(Path.cwd()) if below else path))


def _python() -> str:
    """The Python that runs, as the user would call it."""
    return _short(sys.executable)


def _trained(facts: Mapping) -> str:
    encoder, done = facts["encoder"], facts["summary"]
    return (
        f"{encoder['architecture']}, {encoder['num_layers']} layers of width "
        f"{encoder['d_model']}, {done['parameters']:,} parameters\n"
        f"trained on {done['train_curves']:,} light curves ({done['train_observations']:,} "
        f"observations), {done['epochs']} epoch(s), best: epoch {done['best_epoch'] + 1}, "
        f"{done['seconds']:.0f} s on {done['replicas']} device(s)"
    )


def _scores(metrics: Mapping) -> str:
    model, pushed = metrics["model"], metrics["pushed_model"]
    rows = [("this model", model["hidden_rmse"], model["hidden_r2"])]
    if pushed:
        rows.append(("model pushed before", pushed["hidden_rmse"], pushed["hidden_r2"]))
    for name, label in (("mean", "mean of the window"), ("interpolation", "linear interpolation")):
        rows.append((label, model[f"{name}_hidden_rmse"], model[f"{name}_hidden_r2"]))
    lines = [f"{'hidden steps of the test split':32}{'RMSE [mag]':>12}{'R2':>9}"]
    lines += [f"{label:32}{rmse:12.4f}{r2:9.3f}" for label, rmse, r2 in rows]
    return "\n".join(lines)
