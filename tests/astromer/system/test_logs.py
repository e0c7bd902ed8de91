from __future__ import annotations

from pathlib import Path


def test_the_user_s_own_log_level_is_kept(toy) -> None:
    code = "from astromer.system.logs import silence; silence(); import os; print(os.environ['{}'])"
    shown = toy.python("-c", code.format("TF_CPP_MIN_LOG_LEVEL"), env={"TF_CPP_MIN_LOG_LEVEL": "1"})
    assert shown.stdout == "1\n"


def test_tensorflow_starts_without_a_word(toy, tmp_path: Path) -> None:
    code = (
        "from astromer.system.logs import silence; silence(); import tensorflow as tf; tf.zeros(1)"
    )
    done = toy.python("-c", code, env={"TF_CPP_MIN_LOG_LEVEL": "3"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
