"""TensorFlow's C++ loader, without Python: the model server in deploy/c_api."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from astromer.serving.graph_input import STATUS_UNREADABLE
from astromer.serving.versions.folder import newest
from astromer.serving.versions.promotion import push_version, rollback

COMPILER = os.environ.get("CXX", "g++")
pytestmark = pytest.mark.skipif(
    shutil.which(COMPILER) is None, reason=f"needs a C++ compiler ({COMPILER}, or one named by CXX)"
)


class Server:
    """A model server in a process of its own."""

    def __init__(self, program: Path, folder: Path, log: Path):
        self.log = log
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                [program, folder, "0"],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        assert self.process.stdout is not None
        lines = [self.process.stdout.readline().split() for _ in range(2)]
        assert [line[:1] for line in lines] == [["version"], ["port"]], log.read_text()
        self.port = int(lines[1][1])

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def version(self) -> str:
        return self.ask("GET", "/")[1]["version"]

    def wait(self, reached) -> None:
        deadline = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def program(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("program") / "model_server"
    script = toy.root / "deploy" / "c_api" / "build.sh"
    done = subprocess.run(
        ["sh", script, built, sys.executable], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "deploy/c_api" not in done.stderr  # warnings of ours
    return built


@pytest.fixture
def folder(models, tmp_path: Path) -> Path:
    push_version(models[0], tmp_path / "serving" / "astromer")
    return tmp_path / "serving" / "astromer"


@pytest.fixture
def server(program: Path, folder: Path, tmp_path: Path) -> Iterator[Server]:
    started = Server(program, folder, tmp_path / "log")
    yield started
    started.process.terminate()
    assert started.process.wait(timeout=30) == -signal.SIGTERM  # it lived until now


def test_it_answers_as_python_does_and_goes_over_to_a_new_version_and_back(
    server: Server, folder: Path, models, answers, record_file: Path, same, capsys
) -> None:
    body = record_file.read_bytes()
    old = newest(folder)
    code, got = server.ask("POST", "/embed", body)
    assert (code, got["version"]) == (200, old.name)
    differences = [same(got, answers[0])]
    new = push_version(models[1], folder)
    server.wait(lambda: server.version() == new.name)
    code, got = server.ask("POST", "/embed", body)
    assert (code, got["version"]) == (200, new.name)
    differences.append(same(got, answers[1]))
    assert rollback(folder, withdraw_newer=True) == (old.name, [new.name])
    server.wait(lambda: server.version() == old.name)
    differences.append(same(server.ask("POST", "/embed", body)[1], answers[0]))
    with capsys.disabled():
        print(f" [C API: {max(differences):.1e} from Python]", end="")


def test_a_version_that_does_not_load_leaves_the_old_one_in_service(
    server: Server, folder: Path, models, answers, record_file: Path, same
) -> None:
    old = newest(folder)
    broken = folder / str(int(old.name) + 1)
    shutil.copytree(models[1], folder.parent / "broken")
    (folder.parent / "broken" / "saved_model.pb").write_bytes(b"not a graph")
    os.rename(folder.parent / "broken", broken)
    server.wait(lambda: f"version {broken.name} does not load" in server.log.read_text())
    assert server.version() == old.name
    same(server.ask("POST", "/embed", record_file.read_bytes())[1], answers[0])
    new = push_version(models[1], folder)
    server.wait(lambda: server.version() == new.name)
    assert server.log.read_text().count("does not load") == 1


def test_bad_requests_are_refused_and_cost_nothing(
    server: Server, answers, record_file: Path, same
) -> None:
    body = record_file.read_bytes()
    for bad, told in (
        (b"", "holds no record"),
        (b"hello", "ends within a record"),
        (body[:-1], "ends within a record"),
    ):
        code, answer = server.ask("POST", "/embed", bad)
        assert code == 400
        assert told in answer["error"]
    assert server.ask("GET", "/nothing")[0] == 404
    same(server.ask("POST", "/embed", body)[1], answers[0])


def test_a_record_of_something_else_spoils_no_other(
    server: Server, answers, record_file: Path, same
) -> None:
    foreign = (12).to_bytes(8, "little") + bytes(4) + b"not examples" + bytes(4)
    code, answer = server.ask("POST", "/embed", record_file.read_bytes() + foreign)
    assert code == 200
    assert answer["status"][-1] == STATUS_UNREADABLE
    same({name: rows[:-1] for name, rows in answer.items() if name != "version"}, answers[0])


def test_a_folder_without_a_version_is_an_error(program: Path, tmp_path: Path) -> None:
    done = subprocess.run([program, tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 8
    assert str(tmp_path) in done.stderr
