"""Machines that lack something: programs work there, or name in one line what they lack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from astromer.serving.export import export_saved_model
from astromer.serving.versions.promotion import push_version
from tests.pipeline.folds import make_curves, write_fold
from tests.standins import refused_calls

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_LOCKS = [sys.executable, *refused_calls.command("locks")]
WITHOUT_LINKS = [sys.executable, *refused_calls.command("links")]
NAMELESS = ["unshare", "--user", "--map-user=54321", "env", "-u", "HOME", "-u", "USER"]
NAMELESS += ["-u", "LOGNAME"]
PROXY = dict.fromkeys(("http_proxy", "https_proxy", "grpc_proxy"), "http://127.0.0.1:9")
PROXY |= {name.upper(): address for name, address in PROXY.items()}
ASCII = {"LC_ALL": "C", "LANG": ""}
KERAS = {"backend": "jax", "floatx": "float16", "image_data_format": "channels_first"}


def read_only(folder: str) -> list[str]:
    """What runs a program for which a folder is read-only, for root, too."""
    mount = f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder whose owner uses Keras with JAX in half precision."""
    folder = tmp_path / "home"
    (folder / ".keras").mkdir(parents=True)
    (folder / ".keras" / "keras.json").write_text(json.dumps(KERAS))
    return folder


@pytest.fixture(scope="module")
def workplace(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A survey with an id that is not ASCII, a fold, and a folder with a pushed model."""
    folder = tmp_path_factory.mktemp("workplace")
    lines = ["id,mjd,mag,errmag"]
    for curve in make_curves(24, seed=5):
        rows = zip(curve.mjd, curve.mag, curve.errmag)
        lines += [f"é{curve.id},{mjd},{mag},{errmag}" for mjd, mag, errmag in rows]
    (folder / "survey.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_fold(folder / "fold")
    model = export_saved_model(toy.model(num_layers=1), folder / "model" / "1")
    push_version(model, folder / "serving")
    return folder


PROGRAMS = """
import sys
from astromer.commands import create_records, validate, versions
from astromer.commands.embed import embed, parse
from astromer.serving.versions.folder import latest_version
create_records.main(["--data", "survey.csv", "--output", "records"])
assert validate.main(["--data", "records/fold_0", "--report", "report"]) == 0
number = latest_version("serving").name
versions.main(["promote", number, "--model", "serving"])
embed(parse(["--model", "serving", "--data", "survey.csv", "--out", "embeddings.parquet"]))
import pyarrow.parquet as pq
ids = pq.read_table("embeddings.parquet")["id"].to_pylist()
assert len(ids) == 24 and all(name.startswith("\\u00e9star") for name in ids), ids
"""

PLACES: dict[str, tuple[list[str], dict[str, str]]] = {
    "no locks": (WITHOUT_LOCKS, {}),
    "no symbolic links": (WITHOUT_LINKS, {}),
    "no home, no name": (NAMELESS, {}),
    "a home that cannot be written to": (read_only("{home}"), {"HOME": "{home}"}),
    "/dev/shm that cannot be written to": (read_only("/dev/shm"), {}),
    "a proxy, ASCII": ([], {**PROXY, **ASCII}),
}


def run(
    command: list[str], folder: Path, before: list[str], env: dict[str, str], home: Path
) -> subprocess.CompletedProcess[str]:
    """Runs a program in a place, or skips the test where there can be no such place."""
    if any(word.endswith("refused_calls.py") for word in before) and refused_calls.obstacle():
        pytest.skip(refused_calls.obstacle())
    if "unshare" in before:
        tried = subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False)
        if tried.returncode:
            pytest.skip("needs namespaces of its own, which this system does not allow")
    return subprocess.run(
        [word.replace("{home}", str(home)) for word in before] + command,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            **{name: value.replace("{home}", str(home)) for name, value in env.items()},
        },
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize("place", PLACES)
def test_programs_work(workplace: Path, home: Path, tmp_path: Path, place: str) -> None:
    before, env = PLACES[place]
    folder = shutil.copytree(workplace, tmp_path / "here", symlinks=True)
    done = run([sys.executable, "-c", PROGRAMS], folder, before, env, home)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.endswith("left")]  # of bars
    overridden = env.get("HOME") is not None
    assert len(said) == overridden, done.stderr
    assert all("floatx float16" in line and "keras.json" in line for line in said)


TINY = ["--debug", "--hidden=8", "--n-heads=2", "--n-layers=1", "--window=20", "--bs=16"]


def test_the_pipeline_works_where_all_of_it_is_missing(
    workplace: Path, home: Path, tmp_path: Path
) -> None:
    before = [sys.executable, *refused_calls.command("locks", "links"), *read_only("/dev/shm")]
    env = {**PROXY, **ASCII, "KERAS_BACKEND": "jax"}
    command = [sys.executable, str(ROOT / "pipeline" / "local_runner.py"), "--data", "fold", *TINY]
    shutil.copytree(workplace / "fold", tmp_path / "here" / "fold")
    done = run(command, tmp_path / "here", [*before, *NAMELESS], env, home)
    assert done.returncode == 0, done.stderr
    assert "blessed, pushed as version" in done.stdout
    assert (tmp_path / "here" / "outputs" / "serving" / "astromer" / "latest").is_file()
    assert "KERAS_BACKEND=jax" in done.stderr
    assert "Traceback" not in done.stderr
