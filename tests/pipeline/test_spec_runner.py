"""Compiled pipelines run as on a cluster, and push the model that the run of this machine does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import astromer
from astromer.serving.versions.folder import versions
from astromer.system.errors import AstromerError, UsageError
from pipeline.cluster.spec import ArtifactStore, PipelineSpec
from pipeline.local.fork_server import ForkServer
from pipeline.spec_runner import SpecRunner, parse_values
from tests.pages import Page
from tests.pipeline.cluster_specs import RUNNERS
from tests.pipeline.folds import make_curves, write_fold

TINY = {"hidden": 8, "n_heads": 2, "n_layers": 1, "window": 20, "bs": 16, "epochs": 2, "seed": 5}
TRIAL = {"debug": 1}  # a model of so little is pushed nowhere else


def kind(title: str) -> dict[str, str]:
    return {"instanceSchema": f"title: {title}\ntype: object\n"}


def small_spec(code: str) -> dict[str, Any]:
    """Two steps: one runs some Python that is given its ExecutorInput, one is fed by it."""
    output = {"artifacts": {"model": {"artifactType": kind("tfx.Model")}}}
    feed = {"model": {"taskOutputArtifact": {"producerTask": "b", "outputArtifactKey": "model"}}}
    given = {"size": {"componentInputParameter": "size"}, "x": {"runtimeValue": {"constant": "y"}}}
    container = {"command": ["python", "-c", code], "args": ["{{$}}"]}
    return {
        "pipelineInfo": {"name": "small"},
        "root": {
            "inputDefinitions": {"parameters": {"size": {"defaultValue": 1}}},
            "dag": {
                "tasks": {
                    "a": {"componentRef": {"name": "a"}, "inputs": {"artifacts": feed}},
                    "b": {"componentRef": {"name": "b"}, "inputs": {"parameters": given}},
                }
            },
        },
        "components": {
            "a": {"executorLabel": "a"},
            "b": {"executorLabel": "b", "outputDefinitions": output},
        },
        "deploymentSpec": {
            "executors": {"a": {"container": container}, "b": {"container": container}}
        },
    }


ECHO = """
import json, sys
given = json.loads(sys.argv[1])
told = {"artifacts": {name: {"artifacts": [{"metadata": given["inputs"]}]}
                      for name in given["outputs"]["artifacts"]}}
open(given["outputs"]["outputFile"], "w").write(json.dumps(told))
"""


def test_steps_run_after_those_that_feed_them_and_are_given_their_artifacts(tmp_path):
    spec = PipelineSpec(small_spec(ECHO))
    assert spec.steps == ("b", "a")
    made = SpecRunner(tmp_path).run(spec, {"size": 3})
    [model] = made["b"]["model"]
    assert model["metadata"]["parameterValues"] == {"size": 3, "x": "y"}
    assert Path(model["uri"]).is_relative_to(tmp_path)
    assert made["a"] == {}
    kept = json.loads((tmp_path / "artifacts.json").read_text())
    assert [one["uri"] for one in kept] == [model["uri"]]


def test_a_step_that_fails_ends_the_run_with_its_code_and_last_words(tmp_path):
    code = "import sys; print('error: no such fold.', file=sys.stderr); sys.exit(3)"
    with pytest.raises(AstromerError, match="b failed: no such fold") as caught:
        SpecRunner(tmp_path).run(PipelineSpec(small_spec(code)), {})
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("content", ["{}", "[]", "a: [", "root: 3", '\x00"'])
def test_a_file_that_is_no_compiled_pipeline_is_refused(tmp_path, content):
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(UsageError, match=r"a\.yaml|compiled pipeline"):
        PipelineSpec.read(tmp_path / "a.yaml")


def test_steps_in_a_circle_are_refused():
    content = small_spec(ECHO)
    content["root"]["dag"]["tasks"]["b"]["dependentTasks"] = ["a"]
    with pytest.raises(UsageError, match="CycleError"):
        PipelineSpec(content)


def test_parameters_have_the_types_of_their_defaults():
    spec = PipelineSpec(small_spec(ECHO))
    assert parse_values(["size=7"], spec) == {"size": 7}
    for wrong in ("size=x", "colour=red", "size"):
        with pytest.raises(UsageError, match="--set"):
            parse_values([wrong], spec)


def test_resolvers_find_the_newest_artifact_that_the_filter_describes(tmp_path):
    store = ArtifactStore(tmp_path / "artifacts.json")
    blessing = 'schema_title="tfx.ModelBlessing" AND state=LIVE AND metadata.blessed.number_value=1'
    model = (
        'schema_title="tfx.Model" AND state=LIVE AND '
        "name=\"{{$.inputs.artifacts['input'].metadata['current_model_id']}}\""
    )
    assert store.newest(blessing, {}) == []
    assert store.newest(model, {"input": []}) == []
    for number, blessed in enumerate((1.0, 1.0, 0.0)):
        facts = {"blessed": blessed, "current_model_id": f"model {number}"}
        store.add([{"name": f"model {number}", "type": kind("tfx.Model")}])
        store.add([{"name": "b", "type": kind("tfx.ModelBlessing"), "metadata": facts}])

    reopened = ArtifactStore(tmp_path / "artifacts.json")
    found = reopened.newest(blessing, {})

    assert [one["metadata"]["current_model_id"] for one in found] == ["model 1"]
    assert [one["name"] for one in reopened.newest(model, {"input": found})] == ["model 1"]
    with pytest.raises(ValueError, match="not understood"):
        reopened.newest("a LIKE b", {})


class Place:
    """A fold, and folders for what the three ways of running the pipeline make of it."""

    def __init__(self, folder: Path):
        self.folder = folder
        write_fold(folder / "fold")

    def output(self, name: str) -> Path:
        return self.folder / name

    def pushed(self, name: str) -> list[Path]:
        return versions(self.output(name) / "serving" / "astromer")

    def embeddings(self, name: str) -> np.ndarray:
        curves = [{"mjd": c.mjd, "mag": c.mag, "errmag": c.errmag} for c in make_curves(5, seed=9)]
        return astromer.load(str(self.pushed(name)[-1])).embed(curves).mean

    def start_local_run(self) -> subprocess.Popen[str]:
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
        runner = str(Path(astromer.__file__).parents[1] / "pipeline" / "local_runner.py")
        places = ["--data", str(self.folder / "fold"), "--output", str(self.output("local"))]
        return subprocess.Popen(
            [sys.executable, runner, *places, *flags, "--debug", "--no-report"],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def compiled(self, target: str) -> PipelineSpec:
        """Compiled with the documented defaults: the small model comes by run-time parameters."""
        file = self.folder / f"{target}.yaml"
        places = ["--data", "/elsewhere", "--output", str(self.output(target))]
        if target == "kubeflow":
            places.append("--no-report")  # the same step as on Vertex
        assert RUNNERS[target].main([*places, "--spec", str(file)]) == 0
        return PipelineSpec(yaml.safe_load(file.read_text()))

    def run(self, target: str, start: Any = None) -> tuple[SpecRunner, PipelineSpec, Any]:
        runner, spec = SpecRunner(self.output(target) / "artifacts", start), self.compiled(target)
        made = runner.run(spec, {**TINY, **TRIAL, "data": str(self.folder / "fold")})
        return runner, spec, made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("place"))
    return made


@pytest.fixture(scope="module")
def local(place: Place) -> Any:
    """The run of this machine, which goes on beside the first test."""
    running = place.start_local_run()
    yield running
    running.kill()
    running.wait()


def finished(local: subprocess.Popen[str]) -> None:
    said, _ = local.communicate(timeout=300) if local.poll() is None else ("", "")
    assert local.returncode == 0, said


@pytest.mark.slow
def test_the_spec_for_vertex_pushes_the_model_of_the_local_run(place, local):
    runner, spec, made = place.run("vertex")
    finished(local)

    assert len(place.pushed("vertex")) == len(place.pushed("local")) == 1
    embeddings = place.embeddings("local")
    assert np.isfinite(embeddings).all()
    np.testing.assert_array_equal(place.embeddings("vertex"), embeddings)
    assert any((place.output("vertex") / "training").rglob("checkpoints/*"))
    [version] = place.pushed("vertex")
    page = place.output("vertex") / "reports" / version.name / "index.html"
    assert "Blessed." in Page(page.read_text(encoding="utf-8")).text
    assert made["Reporter"]["report"][0]["metadata"]["problems"] == ""

    # What this run has pushed is what the next run's resolvers will find.
    found: dict[str, Any] = {}
    for step in [step for step in spec.steps if "resolver" in spec.executor(step)]:
        assert all(artifacts == [] for artifacts in made[step].values())
        inputs = {name: found[maker][key] for name, (maker, key) in spec.inputs(step).items()}
        queries = spec.executor(step)["resolver"]["outputArtifactQueries"]
        found[step] = {
            name: runner.store.newest(query["filter"], inputs) for name, query in queries.items()
        }
    [trained] = made["Trainer"]["model"]
    assert [one["name"] for one in found["Baseline-model-resolver"]["model"]] == [trained["name"]]


@pytest.mark.slow
def test_the_spec_for_kubeflow_does_so_and_pushes_no_model_twice(place, local):
    start = ForkServer()
    _, _, first = place.run("kubeflow", start)
    finished(local)

    np.testing.assert_array_equal(place.embeddings("kubeflow"), place.embeddings("local"))
    assert not Path(first["PushedModel"]["model"][0]["uri"], "Format-Serving").exists()

    _, _, second = place.run("kubeflow", start)

    assert Path(second["PushedModel"]["model"][0]["uri"], "Format-Serving").is_dir()
    assert len(place.pushed("kubeflow")) == 1
    facts = [run["Trainer"]["model"][0]["metadata"]["fingerprint"] for run in (first, second)]
    assert facts[0] == facts[1]  # so the second run found the first one's checkpoints
