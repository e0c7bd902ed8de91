"""The whole pipeline, run as a user runs it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from ml_metadata.metadata_store import metadata_store
from tfx.orchestration import metadata

from astromer.light_curves import LightCurve
from astromer.serving.saved_model import read_facts
from astromer.serving.versions.folder import versions
from astromer.system.errors import NotBlessedError
from astromer.system.storage.lock import locked
from pipeline.local.lineage import trace
from tests.pages import Page, assert_self_contained
from tests.pipeline.folds import encode, make_curves, write_fold

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "pipeline" / "local_runner.py"
TINY = ["--hidden=8", "--n-heads=2", "--n-layers=1", "--window=20", "--bs=16", "--epochs=1"]
COMPONENTS = 11  # without the resolver, which is looked up every time


ODD = "sp  ace'q\"uo é星 e\u0301 100%25 #a&amp; $HOME ~ <b> |;,\nnew"
HOSTILE = "<script>alert(1)</script> $\\frac{ =1+1 ../../x|\x1b[31m\n\t`c`"
SECRET = "hunter2-planted"

REJECTED = "1 of 48 objects rejected: 1 mag_out_of_range"


class Workplace:
    """A folder with a fold, in which the pipeline is run."""

    def __init__(self, folder: Path):
        self.folder = folder
        train, test = (
            [replace(curve, class_name=HOSTILE) for curve in make_curves(size, seed)]
            for size, seed in ((24, 0), (12, 2))
        )
        train[4].mag[2] = 99.999  # one light curve that is left out
        write_fold(folder / "fold", train=train, test=test)

    @property
    def versions(self) -> list[int]:
        served = self.folder / "outputs" / "serving" / "astromer"
        return [int(path.name) for path in versions(served)]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(RUNNER), "--data", "fold", *TINY, *arguments]

    def run(self, *arguments: str, trial: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs the command; models of so little training are pushed by trials alone."""
        return subprocess.run(
            self.command(*(("--debug",) if trial else ()), *arguments),
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PGPASSWORD": SECRET, "MYSQL_PWD": SECRET},
            timeout=300,
        )

    def page(self, name: str) -> str:
        """The run report of this name."""
        file = self.folder / "outputs" / "reports" / name / "index.html"
        return file.read_text(encoding="utf-8")

    def store(self) -> metadata_store.MetadataStore:
        database = self.folder / "outputs" / "metadata" / "metadata.sqlite"
        return metadata_store.MetadataStore(
            metadata.sqlite_metadata_connection_config(str(database))
        )


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("workplace") / ODD)


@pytest.fixture(scope="module")
def first(workplace: Workplace) -> subprocess.CompletedProcess[str]:
    """The first run in the workplace."""
    done = workplace.run()
    assert done.returncode == 0, done.stderr
    return done


def test_a_run_pushes_a_model_that_serves_curves_of_any_length(workplace, first):
    assert "Traceback" not in first.stderr
    assert len(workplace.versions) == 1
    assert REJECTED in first.stdout
    assert "star0-4" in (workplace.folder / "outputs/validation/rejected.csv").read_text()
    assert "linear interpolation" in first.stdout  # the honest baselines are beside the model
    [log] = (workplace.folder / "outputs" / "logs").glob("*.log")
    assert "Not held against a trial (--debug): hidden_rmse" in log.read_text()
    version = workplace.folder / "outputs/serving/astromer" / str(workplace.versions[0])
    assert f"outputs/serving/astromer/{version.name}\n" in first.stdout

    page = workplace.page("latest")
    assert "Blessed." in Page(page).text
    assert "1 of 48 objects rejected" in Page(page).text
    assert f"Report    outputs/reports/{version.name}/index.html\n" in first.stdout
    assert page == workplace.page(version.name)
    assert_self_contained(page, "validation.html")

    serve = tf.saved_model.load(str(version)).signatures["serving_default"]
    records = [encode(curve) for curve in (*make_curves(2), long_curve(1500))]
    for name, value in serve(tf.constant(records)).items():
        assert value.shape[0] == 3, name
        assert np.isfinite(value.numpy()).all()


def test_no_name_is_obeyed_and_no_secret_written(workplace, first):
    assert HOSTILE not in first.stdout
    assert "\x1b" not in first.stdout + first.stderr
    written = [path for path in workplace.folder.rglob("*") if path.is_file()]
    assert len(written) > 20
    for path in written:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path
        if path.suffix in (".html", ".md", ".log", ".txt", ".tsv", ".csv"):
            assert b"<script>alert" not in content or path.suffix in (".log", ".txt", ".tsv"), path
            assert b"\x1b" not in content, path
    assert SECRET not in first.stdout + first.stderr
    assert HOSTILE[:25] in Page(workplace.page("latest")).text
    # What is to be copied is a command of this shell: here, the words that it was made of.
    (embed,) = (line for line in first.stdout.splitlines() if "astromer embed" in line)
    words = shlex.split(embed.removeprefix("next: "))
    for option in ("--model", "--data"):
        assert (workplace.folder / words[words.index(option) + 1]).is_dir()


def test_a_version_has_a_card_and_checksums(workplace, first):
    version = workplace.folder / "outputs/serving/astromer" / str(workplace.versions[0])
    card = (version / "README.md").read_text()
    facts = read_facts(version)
    scores = facts["evaluation"]["model"]
    assert facts["data"]["surveys"] == ["fold"]
    assert facts["data"]["splits"]["train"]["curves"] == 23
    assert facts["data"]["splits"]["train"]["rejected"] == 1
    assert "1 of `mag_out_of_range` (reject)" in card
    assert f"{scores['hidden_steps']:,.0f} hidden steps" in card
    assert f"{scores['interpolation_hidden_rmse']:.4g}" in card
    assert f"{facts['parameters']:,} parameters" in card
    assert "tensorflow 2." in card
    assert (version.parent / "latest").readlink() == Path(version.name)
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "checksums.txt"], cwd=version, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def long_curve(size: int) -> LightCurve:
    rng = np.random.default_rng(0)
    return LightCurve(
        np.sort(rng.uniform(50000, 59000, size)),
        rng.normal(15, 1, size).astype(np.float32),
        np.full(size, 0.05, np.float32),
    )


@pytest.mark.slow
def test_the_same_command_again_takes_all_from_the_cache(workplace, first):
    before = workplace.versions
    page = workplace.page("latest")
    shutil.rmtree(workplace.folder / "outputs" / "reports")

    again = workplace.run()

    assert again.returncode == 0, again.stderr
    assert again.stdout.count(" cached\n") == COMPONENTS
    assert REJECTED in again.stdout
    assert workplace.versions == before
    assert str(before[-1]) in again.stdout
    assert workplace.page("latest") == page


def test_the_page_draws_what_the_metadata_store_knows(workplace, first):
    store = workplace.store()
    [pushed] = store.get_artifacts_by_type("PushedModel")
    keys = {"model": "Model", "pushed_model": "PushedModel"}
    inputs = {
        key: SimpleNamespace(id=store.get_artifacts_by_type(kind)[0].id)
        for key, kind in keys.items()
    }
    lineage = trace(store, inputs)
    titles = [node.title for row in lineage.layers() for node in row]
    made = ["FoldExampleGen", "LightCurveValidator", "AstromerTrainer", "VersionPusher"]
    assert [title for title in titles if title in made] == made
    assert titles[-2:] == ["VersionPusher", "PushedModel"]
    [main] = [node for node in lineage.nodes if node.main]
    assert main.title == "Model"
    said = Page(workplace.page(pushed.custom_properties["pushed_version"].string_value)).text
    assert "from the metadata store" in said
    for node in lineage.nodes:
        assert node.details[0] in said


@pytest.mark.slow
def test_a_version_that_was_deleted_is_pushed_again(tmp_path, workplace, first):
    for version in workplace.versions:
        served = workplace.folder / "outputs/serving/astromer" / str(version)
        served.rename(tmp_path / str(version))

    again = workplace.run("--no-report")

    assert again.returncode == 0, again.stderr
    assert "Reporter" not in again.stdout
    assert "Report  " not in again.stdout
    assert "Trainer                 cached" in again.stdout
    assert len(workplace.versions) == 1


@pytest.mark.slow
def test_a_changed_setting_pushes_a_second_version_with_the_first_as_baseline(workplace, first):
    changed = workplace.run("--seed", "7")

    # Two barely trained models may differ by more than the margin.
    assert changed.returncode in (0, 9), changed.stderr
    assert "FoldExampleGen          cached" in changed.stdout
    assert "model pushed before" in changed.stdout
    assert len(workplace.versions) == 1 + (changed.returncode == 0)
    store = workplace.store()
    models = {model.id: model for model in store.get_artifacts_by_type("Model")}
    judgement = store.get_artifacts_by_type("ModelBlessing")[-1].custom_properties
    seeds = [
        models[judgement[name].int_value].custom_properties["training.seed"].int_value
        for name in ("current_model_id", "baseline_model_id")
    ]
    assert seeds == [7, 42]
    said = Page(workplace.page("latest")).text
    assert "model pushed before" in said
    assert ("Not blessed, so nothing was pushed" in said) == (changed.returncode == 9)


@pytest.mark.slow
def test_a_model_that_is_worse_than_the_mean_of_the_window_is_not_pushed(tmp_path):
    place = Workplace(tmp_path)
    done = place.run("--no-report", trial=False)
    assert done.returncode == NotBlessedError.exit_code, done.stderr
    last = done.stderr.replace("\r", "\n").splitlines()[-1]
    assert re.search(r"not blessed.*hidden_rmse \S+ mag exceeds the window mean's \S+ mag", last)
    assert place.versions == []


@pytest.mark.slow
def test_a_run_that_is_stopped_says_so_and_goes_on_where_it_was(tmp_path):
    place = Workplace(tmp_path)
    endless = place.command("--epochs", "100000", "--patience", "100000")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        endless,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith("epoch 3/"):
                break
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert "same command" in errors.splitlines()[-1]
    assert place.versions == []
    assert any((tmp_path / "outputs" / "training").rglob("checkpoints/*"))


def spoil_times(place: Workplace) -> None:
    curves = make_curves(12, seed=1)
    for curve in curves[3:6]:
        curve.mjd[:] = curve.mjd[::-1].copy()
    write_fold(place.folder / "fold", validation=curves)


def spoil_file(place: Workplace) -> None:
    (place.folder / "fold" / "test" / "0.record").write_bytes(b"no record at all" * 100)


def spoil_split(place: Workplace) -> None:
    (place.folder / "fold" / "validation" / "0.record").unlink()


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (spoil_split, 3, "validation"),
        (spoil_file, 4, "0.record"),
        (spoil_times, 6, "star1-3"),
    ],
)
def test_bad_input_is_named_and_never_published(
    tmp_path: Path, spoil: Callable[[Workplace], None], code: int, said: str
):
    place = Workplace(tmp_path)
    spoil(place)

    done = place.run()

    assert done.returncode == code
    assert "Traceback" not in done.stderr + done.stdout
    last = done.stderr.replace("\r", "\n").splitlines()[-1]
    assert last.startswith("error: ")
    assert said in last
    assert place.versions == []


def test_an_output_folder_in_use_is_refused(tmp_path):
    place = Workplace(tmp_path)
    with locked(tmp_path / "outputs"):
        done = place.run()
    assert done.returncode == 10
    assert f"process {os.getpid()}" in done.stderr
