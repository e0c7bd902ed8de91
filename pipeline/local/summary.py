"""What a run did, in a screenful."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.types import Artifact

from astromer.encoder.config import PHASE
from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.records.fold import SPLITS
from astromer.serving.versions.folder import WITHDRAWN
from astromer.serving.versions.promotion import current
from astromer.system.errors import NotBlessedError
from astromer.system.storage import as_path
from astromer.system.terminal import bold, say, warn
from astromer.system.text import duration
from components.evaluator.component import METRICS_FILE
from components.provenance import NUM_CURVES, NUM_OBSERVATIONS
from components.trainer.executor import TRAINING_FILE
from components.validator.executor import NUM_REJECTED
from pipeline.beam_options import VALIDATOR
from pipeline.local.console import (
    Step,
    blessing_line,
    counted,
    files_of,
    for_machines,
    located,
    paragraph,
    short,
    times,
)
from pipeline.local.outputs import find_report
from pipeline.pipeline import EVALUATOR, FINETUNER, JUDGE, PUSHER, RESULTS_FOLDER, TRAINER


class _Outcome:
    """What a run has come to.

    Attributes:
        blessed: whether the model may be served.
        reasons: why not.
    """

    def __init__(self, steps: Mapping[str, Step], judge: str):
        self._steps = steps
        blessing = self._output(judge, "blessing")
        self.blessed = blessing.get_int_custom_property("blessed") == 1
        self.reasons = blessing.get_string_custom_property("reasons")

    def _output(self, component: str, key: str) -> Artifact:
        return self._steps[component].outputs[key][0]

    def _blessing_line(self) -> str:
        return blessing_line(
            self.reasons, version_news(self._steps[PUSHER]) if self.blessed else ""
        )


class Outcome(_Outcome):
    """The outcome of a pre-training.

    Attributes:
        evaluation: folder with its metrics and tables.
    """

    what = "model"

    def __init__(self, steps: Mapping[str, Step], output: Path, data: str):
        super().__init__(steps, EVALUATOR)
        self._output_folder, self._data_folder = output, data
        self._page, self._problems = find_report(steps, output)
        self._facts = json.loads(
            (as_path(self._output(TRAINER, "model").uri) / TRAINING_FILE).read_text()
        )
        self.evaluation = as_path(self._output(EVALUATOR, "evaluation").uri)
        self._metrics = json.loads((self.evaluation / METRICS_FILE).read_text())

    def text(self) -> str:
        """What was trained, how good it is, and what has become of it."""
        done = self._facts["summary"]
        epochs = f"{counted(done['epochs'], 'epoch')} in {duration(done['seconds'])}"
        training = (
            f"{epochs} on {counted(done['replicas'], 'device')}; best: epoch "
            f"{done['best_epoch'] + 1}"
        )
        doubts = _doubts(self._metrics, self._facts["encoder"]["architecture"])
        parts = [
            paragraph("Data", self._data()),
            paragraph("Model", _model(self._facts)),
            paragraph("Training", training),
            "\n" + _scores(self._metrics) + "\n",
            self._blessing_line(),
            *([paragraph("", warn(text)) for text in doubts if self.blessed]),
            *([paragraph("", warn(self._problems))] if self._problems else []),
            times(self._steps),
            *([located("Report", self._page)] if self._page is not None else []),
        ]
        return "\n" + "\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The same for machines, as JSON types."""
        pushed = self._steps[PUSHER].outputs.get("pushed_model", []) if self.blessed else []
        return {
            "blessed": self.blessed,
            "reasons": self.reasons,
            "version": next(
                (one.get_string_custom_property("pushed_destination") for one in pushed), None
            ),
            "data": self._counts(),
            **{name: self._facts[name] for name in ("encoder", "masking", "training", "summary")},
            "test": self._metrics,
            "components": for_machines(self._steps),
            "evaluation": str(self.evaluation),
            "tensorboard": self._facts["log_dir"],
        }

    def _counts(self) -> dict[str, dict[str, int]]:
        examples = self._output(VALIDATOR, "valid_examples")
        return {
            split: {
                kind: examples.get_int_custom_property(f"{name}_{split}")
                for kind, name in (
                    ("light_curves", NUM_CURVES),
                    ("observations", NUM_OBSERVATIONS),
                    ("rejected", NUM_REJECTED),
                )
            }
            for split in SPLITS
        }

    def _data(self) -> str:
        counts = self._counts()
        rejected = sum(count["rejected"] for count in counts.values())
        parts = [f"{split} {count['light_curves']:,}" for split, count in counts.items()]
        observations = sum(count["observations"] for count in counts.values())
        return (
            f"light curves: {', '.join(parts)}; {rejected:,} rejected\n"
            f"observations: {observations:,}"
        )

    def write(self, path: Path) -> None:
        """Leaves the scores on hidden steps, of the model and the baselines, as JSON."""
        scores = {key: value for key, value in self._metrics["model"].items() if "hidden" in key}
        content = {"blessed": self.blessed, "evaluation": str(self.evaluation), "scores": scores}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    @property
    def details(self) -> str:
        """Where more is to be read."""
        return f"Its evaluation is in {self.evaluation}."

    def next_step(self) -> str:
        """Where a pushed model is, and commands that show its training and use it."""
        pushed = self._output(PUSHER, "pushed_model")
        version = pushed.get_string_custom_property("pushed_destination")
        use = f"--model {short(served_from(version))} --data {short(self._data_folder)} --out"
        return (
            f"\n{pushed_line(self._steps[PUSHER])}\n"
            f"next: {_python()} -m astromer tensorboard --output {short(self._output_folder)}\n"
            f"next: {_python()} -m astromer embed {use} embeddings.parquet\n"
            f"next: {_python()} -m astromer explore {use} explore.html"
        )


def conclude(outcome: Outcome | FinetuneOutcome, log: Path) -> None:
    """Prints the outcome of a run, and writes it beside the log for machines.

    Raises:
        NotBlessedError: nothing was pushed.
    """
    twin = log.with_suffix(".json")
    twin.parent.mkdir(parents=True, exist_ok=True)
    twin.write_text(json.dumps(outcome.to_dict(), indent=1) + "\n", encoding="utf-8")
    say(outcome.text())
    say(files_of(log))
    if not outcome.blessed:
        raise NotBlessedError(
            f"the {outcome.what} was not blessed, so nothing was pushed: {outcome.reasons}. "
            f"{outcome.details}"
        )
    say(outcome.next_step())


def version_news(step: Step) -> str:
    """Which version a blessed model is, whether new or not."""
    pushed = step.outputs["pushed_model"][0]
    version = as_path(pushed.get_string_custom_property("pushed_destination")).name
    return f"{'still' if step.cached else 'pushed as'} version {version}"


def pushed_line(step: Step) -> str:
    """Where the model is that the Pusher pushed, and what users of the folder get."""
    pushed = step.outputs["pushed_model"][0]
    version = as_path(pushed.get_string_custom_property("pushed_destination"))
    folder = served_from(version)
    program = f"{_python()} -m astromer versions"
    if pushed.get_int_custom_property(WITHDRAWN):
        return (
            f"SavedModel (withdrawn before, left so): {short(version)}\n"
            f"bring it back:       {program} restore {version.name} --model {short(folder)}"
        )
    line = f"SavedModel ({'as before' if step.cached else 'pushed'}): {short(version)}"
    named = current(folder)
    if named is None or named == version:
        return line
    return (
        f"{line}\nlatest stays at:     {named.name}; to go over to the new one: {program} promote "
        f"{version.name} --model {short(folder)}"
    )


def served_from(version: str | Path) -> Path:
    """The folder of versions that a version belongs to, in service or withdrawn."""
    folder = as_path(version).parent
    return folder.parent if folder.name == WITHDRAWN else folder


def _python() -> str:
    """The Python that runs, as the user would call it."""
    return short(sys.executable)


def _model(facts: Mapping) -> str:
    encoder, parameters = facts["encoder"], facts["summary"]["parameters"]
    layers = counted(encoder["num_layers"], "layer")
    return (
        f"{encoder['architecture']}, {layers} of width {encoder['d_model']}, "
        f"{parameters:,} parameters"
    )


def _doubts(metrics: Mapping, architecture: str) -> list[str]:
    """What speaks against using a model, though it may be served."""
    model = metrics["model"]
    better = [
        label
        for name, label in BASELINE_TITLES.items()
        if model[f"{name}_hidden_rmse"] <= model["hidden_rmse"]
    ]
    if not better:
        return []
    if architecture != PHASE and all(label.startswith("harmonic") for label in better):
        reason = f"this encoder sees no period below 6.3 days, --model {PHASE} does"
    else:
        reason = "train longer (--epochs, --lr) or on more light curves"
    return [f"but no better than {', '.join(better)}: {reason}"]


def _scores(metrics: Mapping) -> str:
    model, pushed = metrics["model"], metrics["pushed_model"]
    rows = [("this model", model["hidden_rmse"], model["hidden_r2"])]
    if pushed:
        rows.append(("model pushed before", pushed["hidden_rmse"], pushed["hidden_r2"]))
    for name, label in BASELINE_TITLES.items():
        rows.append((label, model[f"{name}_hidden_rmse"], model[f"{name}_hidden_r2"]))
    lines = [bold(f"{'hidden steps of the test split':32}{'RMSE [mag]':>12}{'R2':>9}")]
    lines += [f"{label:32}{rmse:12.4f}{r2:9.3f}" for label, rmse, r2 in rows]
    return "\n".join(lines)


class FinetuneOutcome(_Outcome):
    """The outcome of a fine-tuning."""

    what = "classifier"

    def __init__(self, steps: Mapping[str, Step], output: Path):
        super().__init__(steps, JUDGE)
        self._results = as_path(self._output(FINETUNER, "results").uri)
        self._published = output / RESULTS_FOLDER
        evaluation = as_path(self._output(JUDGE, "evaluation").uri)
        self._judged = json.loads((evaluation / METRICS_FILE).read_text())

    @property
    def details(self) -> str:
        """Where more is to be read."""
        return f"The comparison is in {self._published}."

    def text(self) -> str:
        """The table, and what the classifier that is served reaches."""
        from astromer.finetuning.study_report import TEXT_FILE

        table = (self._results / TEXT_FILE).read_text(encoding="utf-8").rstrip()
        served, trial = self._judged["served"], self._judged["cell"]
        line = ""
        if served:
            line = (
                f"\n\nas served ({trial['encoder']}, {trial['head']}, {trial['shots'] or 'all'} "
                f"per class, seed {trial['seed']}): macro-F1 {served['macro_f1']:.3f}, accuracy "
                f"{served['accuracy']:.3f}"
            )
        parts = [
            self._blessing_line(),
            times(self._steps),
            paragraph("Tables", f"and pictures: {self._published}"),
        ]
        return f"\n{table}{line}\n\n" + "\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The same for machines, as JSON types."""
        return {
            "blessed": self.blessed,
            "reasons": self.reasons,
            "test": self._judged,
            "components": for_machines(self._steps),
        }

    def next_step(self) -> str:
        """Where a pushed classifier is."""
        return pushed_line(self._steps[PUSHER])
