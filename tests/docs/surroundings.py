"""What the commands of a page need of the world, stood in for on this machine."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.pipeline.databases import DATABASE, PASSWORD, PostgreSQL
from tests.standins.google import Google
from tests.standins.job_server import JobServer
from tests.standins.kubeflow import Kubeflow
from tests.standins.osv import Osv, pip_audit_is_there
from tests.standins.spark import fetch_spark


@dataclass(frozen=True)
class Surroundings:
    """What is there while the blocks of a page run.

    Attributes:
        environment: variables that the blocks get.
        programs: a folder of programs that stand for others.
        texts: in the blocks, and what stands for them.
        kept: takes the variables that blocks set, where they are of no use to other pages.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    programs: Path | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    kept: Path | None = None

    def exports(self) -> str:
        """What a shell script begins with."""
        lines = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        if self.programs:
            lines.append(f"PATH={shlex.quote(str(self.programs))}:$PATH")
        return "\n".join(lines)


@contextmanager
def _database(folder: Path) -> Iterator[Surroundings]:
    if missing := PostgreSQL.missing():
        pytest.skip(f"needs PostgreSQL: no program {', '.join(missing)}")
    server = PostgreSQL()
    try:
        server.start()
        place = f"127.0.0.1:{server.port}/{DATABASE}"
        yield Surroundings(
            texts={"PGPASSWORD=...": f"PGPASSWORD='{PASSWORD}'", "db.example:5432/lineage": place},
            kept=folder / "kept",
        )
    finally:
        server.stop()


@contextmanager
def _kubeflow(folder: Path) -> Iterator[Surroundings]:
    with Kubeflow() as kubeflow:
        port = str(kubeflow.port)
        forward = f"port-forward --namespace kubeflow service/ml-pipeline {port}:{port}"
        image = "REGISTRY/astromer-pipeline:1"
        with _programs(
            folder, kubectl={forward: "exec sleep 600"}, docker=_image(image)
        ) as programs:
            yield Surroundings({}, programs, {"8888": port}, folder / "kept")
        assert kubeflow.posted("/runs")["runtime_config"]["parameters"]["epochs"]
        cron = kubeflow.posted("/recurringruns")["trigger"]["cron_schedule"]["cron"]
        assert cron == "0 0 3 * * 1"


@contextmanager
def _vertex(folder: Path) -> Iterator[Surroundings]:
    with Google(folder, "BUCKET") as google:
        login = (
            'mkdir -p "$CLOUDSDK_CONFIG" && echo \'{"type": "authorized_user", "client_id": "c", '
            '"client_secret": "s", "refresh_token": "r"}\' '
            '> "$CLOUDSDK_CONFIG/application_default_credentials.json"'
        )
        words = "auth application-default login"
        image = "REGION-docker.pkg.dev/PROJECT/REPOSITORY/astromer-pipeline:1"
        with _programs(folder, gcloud={words: login}, docker=_image(image)) as programs:
            yield Surroundings(google.environment, programs, kept=folder / "kept")
        job, schedule = google.vertex.requests
        assert job.pipeline_job.service_account == "astromer@PROJECT.iam.gserviceaccount.com"
        assert schedule.schedule.cron == "0 3 * * 1"


@contextmanager
def _beam(folder: Path) -> Iterator[Surroundings]:
    if reason := fetch_spark(folder / "spark"):
        pytest.skip(reason)
    with JobServer(folder) as server:
        master = f"127.0.0.1:{server.master}"
        options = f"--flink_job_server_jar={server.jar} --job_server_java_launcher={server.java}"
        yield Surroundings({}, server.programs, {"HOST:8081": f"{master} {options}"})
        started = server.asked("java")
        assert len(started) == 2, "validation and statistics"
        assert all(f"--flink-master http://{master} " in words for words in started)
        workers = server.asked("docker run")
        assert len(workers) == 2
        assert all(" IMAGE --id=" in words for words in workers)


@contextmanager
def _store(folder: Path) -> Iterator[Surroundings]:
    with Google(folder) as google:
        yield Surroundings(google.environment, kept=folder / "kept")
        kept = set(google.bucket.objects)
        folders = ("records/fold_0", "report", "runs/pretrain", "runs/serving", "runs/reports")
        for name in folders:
            assert any(each.startswith(f"{name}/") for each in kept), f"nothing is in {name}"
        assert "embeddings.parquet" in kept
        assert not [name for name in kept if name.endswith(".unfinished")]


@contextmanager
def _vulnerabilities(folder: Path) -> Iterator[Surroundings]:
    if not pip_audit_is_there():
        pytest.skip("needs pip-audit, which could not be installed")
    with Osv(folder) as osv:
        yield Surroundings(osv.environment, kept=folder / "kept")
        assert {name: osv.asked[name] for name in ("tfx", "numpy")} == _locked("tfx", "numpy")


def _locked(*names: str) -> dict[str, str]:
    lock = (ROOT / "requirements.lock").read_text()
    return {name: re.search(rf"^{name}==(\S+)", lock, re.M)[1] for name in names}


@contextmanager
def _serving(folder: Path) -> Iterator[Surroundings]:
    file = "deploy/tf_serving/compose.yaml"
    with _programs(folder, docker={f"compose -f {file} up --build": f"test -f {file}"}) as programs:
        yield Surroundings({}, programs)


def _image(name: str) -> dict[str, str]:
    """What docker is asked for an image; there is no engine, so its file is only looked at."""
    file = "deploy/pipeline/Dockerfile"
    build = f"build --file {file} --build-arg VARIANT=gpu --tag {name} ."
    return {build: f"grep -q '^ARG VARIANT' {file}", f"push {name}": ":"}


@contextmanager
def _programs(folder: Path, **programs: Mapping[str, str]) -> Iterator[Path]:
    """A folder of programs that stand for others, each called with all of its words.

    Args:
        folder: for them.
        programs: by name, what each does by the words that it is called with, as shell scripts.
    """
    bin_folder, called = folder / "bin", folder / "called"
    bin_folder.mkdir()
    for name, scripts in programs.items():
        cases = [f"{shlex.quote(words)}) {script} ;;" for words, script in scripts.items()]
        program = bin_folder / name
        program.write_text(
            "\n".join(
                [
                    "#!/bin/sh",
                    f'echo "{name} $*" >> "{called}"',
                    'case "$*" in',
                    *cases,
                    "*) exit 64 ;;",
                    "esac",
                    "",
                ]
            )
        )
        program.chmod(0o755)
    yield bin_folder
    # Google's library asks gcloud for more, and goes on without an answer.
    expected = {f"{name} {words}" for name, scripts in programs.items() for words in scripts}
    assert expected <= set(called.read_text().splitlines())


_OF_PAGES: dict[str, Callable[[Path], AbstractContextManager[Surroundings]]] = {
    "docs/metadata.md": _database,
    "docs/run_on_beam.md": _beam,
    "docs/run_on_kubeflow.md": _kubeflow,
    "docs/run_on_vertex.md": _vertex,
    "docs/security.md": _vulnerabilities,
    "docs/serve_elsewhere.md": _serving,
    "docs/storage.md": _store,
}


def surroundings(page: str, folder: Path) -> AbstractContextManager[Surroundings]:
    """What a page needs. It checks at its end that the blocks have used it.

    Args:
        page: seen from the root of the repository.
        folder: empty, for whatever is needed.
    """
    make = _OF_PAGES.get(page)
    return make(folder) if make else nullcontext(Surroundings())
