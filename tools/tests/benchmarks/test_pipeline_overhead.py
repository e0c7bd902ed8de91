from __future__ import annotations

import pytest

from astromer.encoder.config import EncoderConfig
from astromer.training import loop
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig
from tools.benchmarks import pipeline_overhead as overhead
from tools.benchmarks.pipeline_overhead import Cost, Stopwatch

RUN = [
    Cost(overhead.IMPORTS, 4.0, 3.0, 500.0),
    Cost("ExampleGen", 2.0, 2.5, 600.0, cached=True),
    Cost(overhead.BEFORE, 1.0, 1.0, 700.0),
    Cost(overhead.TRAINING, 10.0, 20.0, 1500.0),
    Cost(overhead.EXPORT, 5.0, 6.0, 1500.0),
    Cost("Pusher", 0.5, 0.25, 900.0),
]


def test_everything_but_the_trainer_is_outside_it():
    outside = overhead.outside_trainer(RUN)
    assert (outside.wall, outside.cpu) == (6.5, 5.75)


def test_the_table_tells_medians_over_runs():
    slower = [Cost(c.part, 3 * c.wall, c.cpu, c.peak, c.cached) for c in RUN]
    lines = overhead.to_table([RUN, RUN, slower]).splitlines()
    assert len(lines) == 1 + len(RUN) + 2
    assert lines[2].split() == ["ExampleGen", "2.00", "2.50", "600", "cached"]
    assert lines[-2].split() == ["outside", "the", "Trainer", "6.50", "5.75", "900"]
    assert lines[-1].split() == ["whole", "run", "22.50", "32.75", "1500"]


def test_the_watch_divides_the_time_since_the_process_started():
    watch = Stopwatch()
    watch.mark("start")
    watch.mark("nothing", cached=True)
    start, nothing = watch.costs
    # Python and the test's libraries were loaded before this line.
    assert start.wall > 0.5
    assert start.cpu > 0.5
    assert 0 <= nothing.wall < 0.5
    assert nothing.cached
    assert nothing.peak >= start.peak > 50


def test_the_trainer_is_divided_where_it_trains(toy, tmp_path, monkeypatch):
    for name in ("_train_epoch", "summary"):  # put back what is replaced
        monkeypatch.setattr(loop.Trainer, name, getattr(loop.Trainer, name))
    watch = Stopwatch()
    overhead._watch_trainer(watch)
    curves = toy.curves((30, 30))
    loop.train(
        curves,
        curves,
        encoder=EncoderConfig(d_model=8, num_heads=2, num_layers=1, window_size=20),
        masking=MaskingConfig(),
        training=TrainingConfig(epochs=1, batch_size=4),
        checkpoint_dir=tmp_path / "checkpoints",
        log_dir=tmp_path / "logs",
    )
    assert [cost.part for cost in watch.costs] == [overhead.BEFORE, overhead.TRAINING]


def test_a_run_that_fails_is_told(tmp_path):
    with pytest.raises(SystemExit, match="does not exist"):
        overhead.measure(["--data", str(tmp_path / "nowhere")], tmp_path)
