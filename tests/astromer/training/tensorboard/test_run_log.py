from __future__ import annotations

import os
from pathlib import Path

from astromer.training.tensorboard.run_log import RunLog
from tools.benchmarks.measuring.resources import held


def _write(log: RunLog, epochs: range) -> None:
    names = ("train_loss", "train_hidden_rmse", "val_hidden_rmse", "val_hidden_r2")
    for epoch in epochs:
        log.epoch({name: epoch + index / 7 for index, name in enumerate(names)}, epoch)


def test_nothing_of_what_was_written_stays_in_memory(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    _write(log, range(200))
    before = held(os.getpid(), 0)
    _write(log, range(200, 1700))
    after = held(os.getpid(), 0)
    assert before
    assert after
    # TensorFlow would keep some 700 bytes of each Python number: 5 to 8 MiB of these.
    assert after.anonymous - before.anonymous < 1.5  # MiB
