"""Runs a compiled pipeline on this machine, step by step, as a cluster would: a dry run.

python pipeline/spec_runner.py --spec outputs/compiled/vertex.yaml --artifacts FOLDER
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
# Started as a file, Python looks for modules in this folder first, where ``pipeline`` is a
# module instead of the package around it.
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p).resolve() != _HERE)]

from astromer.commands.cli import Parser, run_program
from astromer.system.environment import require
from astromer.system.errors import AstromerError, NotBlessedError, UsageError
from pipeline.cluster.spec import ArtifactStore, PipelineSpec
from pipeline.local.console import Report, Step
from pipeline.local.fork_server import ForkServer

OUTPUT_FILE = "executor_output.json"
LOG = "log.txt"

Artifacts = dict[str, list[dict[str, Any]]]
_Start = Callable[[list[str], Path], int]
"""Runs a command with its output in a file, and returns its exit status."""


class SpecRunner:
    """Runs compiled pipelines; what their steps make stays in a folder.

    Args:
        folder: of the artifacts of all runs; made if missing.
        start: runs a step's command, in a process of its own by default.
    """

    def __init__(self, folder: Path, start: _Start | None = None):
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = ArtifactStore(self.folder / "artifacts.json")
        self._start = start or run_command

    def run(
        self, spec: PipelineSpec, values: Mapping[str, Any], report: Report | None = None
    ) -> dict[str, Artifacts]:
        """Runs every step, each after those that it depends on.

        Args:
            spec: the compiled pipeline.
            values: of its parameters; those that are not given have their defaults.
            report: prints each step.

        Returns:
            For each step, its output artifacts by key.

        Raises:
            AstromerError: a step has failed; with its exit code and the last line of its log.
        """
        values = {**spec.defaults, **values}
        place = self.folder / spec.name / time.strftime("%Y%m%d-%H%M%S")
        made: dict[str, Artifacts] = {}
        for step in spec.steps:
            if report:
                report.started(step)
            started = time.monotonic()
            inputs = {name: made[maker][key] for name, (maker, key) in spec.inputs(step).items()}
            executor = spec.executor(step)
            if "resolver" in executor:
                queries = executor["resolver"]["outputArtifactQueries"]
                made[step] = {
                    name: self.store.newest(query["filter"], inputs)
                    for name, query in queries.items()
                }
            else:
                made[step] = self._run_container(spec, step, inputs, values, place / step)
            if report:
                report.ended(Step(step, seconds=time.monotonic() - started))
        return made

    def _run_container(
        self,
        spec: PipelineSpec,
        step: str,
        inputs: Artifacts,
        values: Mapping[str, Any],
        place: Path,
    ) -> Artifacts:
        place.mkdir(parents=True)
        outputs: Artifacts = {
            name: [{"name": f"{place}/{name}", "type": kind, "uri": str(place / name)}]
            for name, kind in spec.outputs(step).items()
        }
        given = {
            "inputs": {
                "artifacts": {name: {"artifacts": found} for name, found in inputs.items()},
                "parameterValues": spec.parameters(step, values),
            },
            "outputs": {
                "artifacts": {name: {"artifacts": found} for name, found in outputs.items()},
                "outputFile": str(place / OUTPUT_FILE),
            },
        }
        container = spec.executor(step)["container"]
        if driver := container.get("lifecycle", {}).get("preCacheCheck"):
            self._command(step, driver, given, place)
            _update(outputs, place)
        self._command(step, container, given, place)
        _update(outputs, place)
        self.store.add([one for several in outputs.values() for one in several])
        return outputs

    def _command(
        self, step: str, container: Mapping[str, Any], given: Mapping[str, Any], place: Path
    ) -> None:
        words = [*container.get("command", ()), *container.get("args", ())]
        (place / LOG).touch()
        filled = [word.replace("{{$}}", json.dumps(given)) for word in words]
        status = self._start(filled, place / LOG)
        if status:
            lines = (place / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = lines[-1].removeprefix("error: ") if lines else "it printed nothing."
            error = AstromerError(f"{step} failed: {last} Its log: {place / LOG}.")
            error.exit_code = status if 0 < status < 256 else 1
            raise error


def run_command(words: list[str], log: Path) -> int:
    """Runs a command in a process of its own; ``python`` is this interpreter, as in an image."""
    if words[0] == "python":
        words = [sys.executable, *words[1:]]
    paths = [str(_HERE.parent), os.environ.get("PYTHONPATH", "")]
    with open(log, "ab") as file:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=log.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        ).returncode


def _update(outputs: Artifacts, place: Path) -> None:
    """Adds what a step has written about its output artifacts."""
    known = json.loads((place / OUTPUT_FILE).read_text(encoding="utf-8"))
    for name, several in known.get("artifacts", {}).items():
        for artifact, new in zip(outputs[name], several["artifacts"], strict=True):
            artifact |= {key: new[key] for key in ("uri", "metadata") if key in new}


def parse_values(given: list[str], spec: PipelineSpec) -> dict[str, Any]:
    """Parameters from ``NAME=VALUE``.

    Raises:
        UsageError: the pipeline has no such parameter, or it has another type.
    """
    values: dict[str, Any] = {}
    for one in given:
        name, _, text = one.partition("=")
        if name not in spec.defaults:
            raise UsageError(
                f"--set must be NAME=VALUE with a parameter of the pipeline. Received: {one}. "
                f"Parameters: {', '.join(sorted(spec.defaults))}."
            )
        kind = type(spec.defaults[name])
        try:
            values[name] = kind(text)
        except ValueError as error:
            raise UsageError(f"--set {name} must be {kind.__name__}. Received: {text}.") from error
    return values


def main(arguments: list[str] | None = None) -> None:
    """Runs a compiled pipeline and says where its outputs are.

    Raises:
        AstromerError: a step has failed, with its exit code.
        NotBlessedError: nothing was pushed.
    """
    parser = Parser(
        prog="python pipeline/spec_runner.py",
        description="Runs a compiled pipeline on this machine, each step in a process of its own.",
        epilog="A cluster is not needed, nor is its image. --data and --output of the compiled "
        "pipeline must be on this machine.",
    )
    parser.add_argument("--spec", required=True, metavar="FILE", help="the compiled pipeline")
    parser.add_argument(
        "--artifacts", required=True, metavar="FOLDER", help="takes what the steps make"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the pipeline; may be given several times",
    )
    parser.add_argument(
        "--fork",
        action="store_true",
        help="load the libraries once and fork for each step: faster, and less like a cluster",
    )
    args = parser.parse_args(arguments)
    require("pipeline", "tfx")
    spec = PipelineSpec.read(args.spec)
    values = parse_values(args.set, spec)
    report = Report()
    try:
        start = ForkServer() if args.fork else None
        made = SpecRunner(Path(args.artifacts), start).run(spec, values, report)
    finally:
        report.close()
    _print_outcome(made)


def _print_outcome(made: Mapping[str, Artifacts]) -> None:
    known: dict[str, Any] = {}
    for outputs in made.values():
        for artifact in (one for several in outputs.values() for one in several):
            if "reasons" in (facts := artifact.get("metadata", {})) or "pushed" in facts:
                known |= facts
    if destination := known.get("pushed_destination"):
        print(f"SavedModel (pushed): {destination}")
    elif "pushed" in known:
        raise NotBlessedError(
            f"the model was not blessed, so nothing was pushed: {known.get('reasons')}."
        )


if __name__ == "__main__":
    run_program(main)
