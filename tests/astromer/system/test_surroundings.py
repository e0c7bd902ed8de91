"""What libraries take from a user's surroundings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import astromer
from astromer.system.environment import bypass_proxy
from astromer.system.errors import UsageError

SETTINGS = """
from astromer.system.logs import silence
silence()
silence()
import keras
print(keras.config.backend(), keras.config.floatx(), keras.config.image_data_format())
"""
OTHER = {"backend": "jax", "floatx": "float16", "image_data_format": "channels_first"}


@pytest.mark.parametrize(
    ("backend", "settings", "unused"),
    [
        ("jax", {}, ["KERAS_BACKEND=jax"]),
        pytest.param("", {"backend": "jax"}, ["backend jax in "], marks=pytest.mark.slow),
        ("", OTHER, ["backend jax", "floatx float16", "image_data_format channels_first in "]),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (
                ("tensorflow", {**OTHER, "floatx": "float32"}, ["channels_first in "]),
                ("tensorflow", {"backend": "jax"}, []),
                ("", "no JSON", []),
            )
        ),
    ],
)
def test_keras_has_its_own_settings_and_others_are_named(
    toy, tmp_path: Path, backend: str, settings, unused: list[str]
) -> None:
    folder = tmp_path / ".keras"
    folder.mkdir()
    text = settings if isinstance(settings, str) else json.dumps(settings)
    (folder / "keras.json").write_text(text)
    env = {"HOME": str(tmp_path), "KERAS_BACKEND": backend}
    done = toy.python("-c", SETTINGS, env=env)
    assert done.stdout == "tensorflow float32 channels_last\n", done.stderr
    said = done.stderr.splitlines()
    assert len(said) == bool(unused), said
    for text in unused:
        assert text in said[0]


def test_another_backend_or_precision_that_is_in_use_is_refused(monkeypatch) -> None:
    import keras

    monkeypatch.setattr(keras.config, "floatx", lambda: "float16")
    with pytest.raises(UsageError, match=r"floatx float32\. Received: .*floatx float16"):
        astromer.load_trainable("nowhere")


HOME = """
from astromer.system.logs import silence
silence()
import os, pathlib, matplotlib.pyplot
print(pathlib.Path.home().is_dir())
"""


NOBODY = """
import pwd
def getpwuid(uid):
    raise KeyError(uid)
pwd.getpwuid = getpwuid
"""


@pytest.mark.parametrize(("home", "user"), [("", NOBODY), ("/proc/none", "")])
def test_a_home_folder_is_not_needed(toy, home: str, user: str) -> None:
    done = toy.python("-c", user + HOME, env={"HOME": home})
    assert done.stdout == f"{not home}\n", done.stderr
    assert done.stderr == ""


DIRECT = "no_grpc_proxy"
GRPC = """
import grpc, sys
from concurrent import futures
from astromer.system.environment import prepare_surroundings
if sys.argv[1] == "prepared":
    prepare_surroundings()
server = grpc.server(futures.ThreadPoolExecutor(1))
port = server.add_insecure_port("localhost:0")
server.start()
for host in ("localhost", "127.0.0.1"):
    try:
        grpc.channel_ready_future(grpc.insecure_channel(f"{host}:{port}")).result(2)
        print("reached")
    except grpc.FutureTimeoutError:
        print("not reached")
"""


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "grpc_proxy"])
def test_local_grpc_never_goes_through_a_proxy(toy, variable: str) -> None:
    pytest.importorskip("grpc")
    for how, said in (("unprepared", "not reached"), ("prepared", "reached")):
        env = {variable: "http://127.0.0.1:9", "no_proxy": "", DIRECT: ""}
        done = toy.python("-c", GRPC, how, env=env)
        assert done.stdout.splitlines() == [said, said], done.stderr


def test_the_hosts_that_a_user_excepts_stay_excepted(monkeypatch) -> None:
    for name in ("grpc_proxy", "https_proxy", "http_proxy", "no_proxy", DIRECT):
        monkeypatch.delenv(name, raising=False)
    bypass_proxy(["a"])
    assert DIRECT not in os.environ
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "b, .c")
    bypass_proxy(["a"])
    bypass_proxy(["a", "d"])
    assert (os.getenv(DIRECT), os.getenv("no_proxy")) == ("b,.c,a,d", "b, .c")
