"""Collects the facts about a run, writes its report and publishes it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from astromer.records.reader import read_light_curves
from astromer.reports.config import ReportConfig
from astromer.reports.lineage import Lineage, LineageBuilder, Node
from astromer.reports.run import Run
from astromer.reports.run_report import publish_report, write_run_report
from astromer.serving.export import load_model
from astromer.serving.saved_model import read_config
from astromer.system.storage import as_path
from astromer.system.text import brief
from astromer.windows.config import MaskingConfig
from components import split_files
from components.evaluator.component import METRICS_FILE, REASONS_FILE, TEST_SPLIT
from components.provenance import FOLD_PATH

NAME, PROBLEMS = "name", "problems"
"""Custom properties of the RunReport."""

_LOG = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Translates artifacts and parameters."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Makes the report. An error becomes a property of the artifact, and fails no run."""
        self._log_startup(input_dict, output_dict, exec_properties)
        [report] = output_dict["report"]
        try:
            problems = _make(input_dict, report, exec_properties)
        except Exception as error:
            _LOG.warning("The run report could not be made", exc_info=True)
            what = f"{type(error).__name__}: {brief(error)}"
            problems = [f"there is no run report ({what})"]
        report.set_string_custom_property(PROBLEMS, "; ".join(problems))


def _make(
    input_dict: dict[str, list[types.Artifact]],
    report: types.Artifact,
    exec_properties: dict[str, Any],
) -> list[str]:
    run = _gather(input_dict, exec_properties)
    folder = as_path(report.uri)
    folder.mkdir(parents=True, exist_ok=True)
    config = ReportConfig(**json.loads(exec_properties["settings"]))
    problems = write_run_report(run, folder, config)
    name = as_path(run.pushed).name if run.pushed else run.metadata.get("fingerprint", "run")
    report.set_string_custom_property(NAME, name)
    publish_report(folder, as_path(exec_properties["shelf"]), name)
    return problems


def _gather(input_dict: dict[str, list[types.Artifact]], exec_properties: dict[str, Any]) -> Run:
    inputs = {
        key: artifact_utils.get_single_instance(artifacts) for key, artifacts in input_dict.items()
    }
    examples, blessing = inputs["examples"], as_path(inputs["blessing"].uri)
    directory = as_path(path_utils.serving_model_path(inputs["model"].uri))
    records = split_files(examples, TEST_SPLIT)
    model_config = read_config(directory)
    pushed = inputs["pushed_model"].get_string_custom_property("pushed_destination")
    run = as_path(pushed).name if pushed else model_config["metadata"].get("fingerprint", "")
    masking = MaskingConfig(*(exec_properties[name] for name in ("probed", "same", "random")))
    metrics = (as_path(inputs["evaluation"].uri) / METRICS_FILE).read_text(encoding="utf-8")
    return Run(
        title=f"{exec_properties['title']}, {'version' if pushed else 'run'} {run}",
        model=load_model(directory),
        model_config=model_config,
        curves=read_light_curves(records),
        split=TEST_SPLIT,
        data=examples.get_string_custom_property(FOLD_PATH) or str(records[0].parent),
        masking=masking,
        seed=exec_properties["seed"],
        metrics=json.loads(metrics),
        # The files, since clusters make numbers of another kind of the properties.
        blessed=(blessing / constants.BLESSED_FILE_NAME).exists(),
        reasons=(blessing / REASONS_FILE).read_text(encoding="utf-8").strip(),
        pushed=pushed,
        validation=as_path(inputs["anomalies"].uri),
        lineage=lineage_of(inputs),
    )


Trace = Callable[[Mapping[str, types.Artifact]], Lineage]
"""Finds what led to some artifacts, of which ``model`` is the one that matters."""

_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_STEPS = (
    ("examples", "training", "model"),
    ("model", "evaluation", "blessing"),
    ("examples", "evaluation", "blessing"),
    ("blessing", "push", "pushed_model"),
)


@contextmanager
def traced_by(trace: Trace) -> Iterator[None]:
    """Executors in this context, in this process, can ask the metadata store.

    TFX gives executors no access to it, and clusters run them where it cannot be reached.
    """
    token = _trace.set(trace)
    try:
        yield
    finally:
        _trace.reset(token)


def lineage_of(inputs: Mapping[str, types.Artifact]) -> Lineage:
    """What led to the model among some artifacts.

    Args:
        inputs: by the key of the component's input.
    """
    trace = _trace.get()
    if trace is not None:
        try:
            return trace(inputs)
        except Exception:
            _LOG.warning("The lineage could not be read from the metadata store", exc_info=True)
    return _of_artifacts(inputs)


def _of_artifacts(inputs: Mapping[str, types.Artifact]) -> Lineage:
    graph = LineageBuilder()
    for source, step, result in _STEPS:
        graph.add(_node(source, inputs[source]))
        graph.add(Node(step, step, made=True), source)
        graph.add(_node(result, inputs[result]), step)
    return graph.build("this run's artifacts; the metadata store could not be asked")


def _node(key: str, artifact: types.Artifact) -> Node:
    place = "/".join(artifact.uri.rstrip("/").split("/")[-2:])
    return Node(key, artifact.type_name.split(".")[-1], (place,), main=key == "model")
