"""Every section measures what it says, on tiny data."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest

import astromer
from benchmarks.measuring import section as section_module
from benchmarks.measuring.curves import make_curves
from benchmarks.measuring.section import OURS, PLAIN
from benchmarks.measuring.turns import Speed
from benchmarks.sections import embedding, input_pipeline, scaling, training
from pipeline_config import EncoderConfig, TrainingConfig

TINY = EncoderConfig(d_model=8, num_heads=2, num_layers=1, ffn_dim=8, window_size=24)
FEW = TrainingConfig(batch_size=8)


def inline(work):
    return work(), 1 << 20


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch) -> None:
    # This process has used TensorFlow, and must not be forked to use it again.
    for module in (section_module, embedding, input_pipeline, scaling):
        monkeypatch.setattr(module, "in_a_child", inline)


@pytest.mark.parametrize("number", range(5))
def test_both_input_pipelines_make_all_windows(tmp_path, number: int) -> None:
    section = input_pipeline.sections(tmp_path, windows=40)[number]
    (plain,), (ours,) = (list(make().values()) for make in section.makers.values())
    epochs = 1 if "disk" in section_name(section) else 8  # in a turn of the package
    assert ours() == epochs * plain() > 0


def section_name(section) -> str:
    (name,) = section.makers[OURS]()
    return name


def test_the_first_batch_is_timed_in_both_ways(tmp_path) -> None:
    line = input_pipeline.first_batch(tmp_path, 1, records=20)
    assert re.fullmatch(
        r"First batch from 20 records on disk after \d+\.\d\d s \(plain: \d+\.\d\d s\); "
        r"[\d,]+ records/s read\.",
        line,
    )


def test_training_is_measured_in_both_ways(tmp_path) -> None:
    section = training.section(tmp_path, TINY, FEW, steps=3)
    rows = {(row.measurement, row.way): row for row in section.run(1)}
    names = (training.FULL, training.MIXED, training.FROM_RECORDS)
    assert set(rows) == {(name, way) for name in names for way in (PLAIN, OURS)}
    assert all(row.rate > 0 for row in rows.values())
    assert {name for (name, _), row in rows.items() if row.share > 0} == {names[0], names[2]}
    plain, ours = (make() for make in section.makers.values())
    for name, windows in zip(names, (8, 8, 24)):
        assert plain[name]() == ours[name]() == windows


def test_the_plain_embedding_is_that_of_the_pushed_model(tmp_path) -> None:
    section = embedding.section(tmp_path, TINY, curves=5)
    curves = make_curves([24, 20, 7, 24, 13])
    expected = astromer.load(tmp_path / "model").embed(curves, progress=False).mean
    got = embedding.PlainEmbedding(TINY)(curves)
    np.testing.assert_allclose(got, expected, atol=2e-5)
    for make in section.makers.values():
        assert [way() for way in make().values()] == [5, 5]


@pytest.fixture
def steps(monkeypatch) -> list[EncoderConfig]:
    """Train steps that do nothing, and what they were made for; making one takes seconds."""
    made: list[EncoderConfig] = []

    def make_step(folder, encoder, training, strategy=None):
        made.append(encoder)
        return lambda batch, step: np.zeros(4).view(Numbers)

    monkeypatch.setattr(scaling, "make_step", make_step)
    return made


class Numbers(np.ndarray):
    def numpy(self) -> np.ndarray:
        return self


def test_a_scaling_table_has_a_line_for_each_point(tmp_path, steps) -> None:
    points = scaling.of_encoder("num_layers", (1, 2), (TINY, FEW))
    assert [sizes[0].num_layers for sizes in points.values()] == [1, 2]
    head, one, two = scaling.step_table("layers", points, "1", 1, tmp_path).splitlines()
    assert head.startswith("layers ")
    assert [encoder.num_layers for encoder in steps] == [1, 2]
    assert one.split()[0] == "1"
    assert one.split()[-3:] == ["1.00", "1.00", "1.00"]
    assert two.split()[0] == "2"
    assert two.split()[-1] == "2.00"


def test_a_knob_of_training_is_changed_alone() -> None:
    points = scaling.of_training("windows_per_pass", (2, 4), (TINY, FEW))
    assert [t.windows_per_pass for _, t in points.values()] == [2, 4]
    assert all(e == TINY and t.batch_size == 8 for e, t in points.values())


def test_data_are_measured_by_the_number_of_light_curves(tmp_path) -> None:
    lines = scaling.curves_table(tmp_path, [10, 30], (TINY, FEW)).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["10", "30"]
    assert all(float(line.split()[1]) > 0 for line in lines[1:])


def test_replicas_are_measured_in_processes_of_their_own(tmp_path, monkeypatch) -> None:
    speeds = {True: ("1", Speed((30.0,), (9.0,))), False: ("2", Speed((20.0,), (6.0,)))}
    monkeypatch.setattr(scaling, "_replicated", lambda one, *_: speeds[one])
    lines = scaling.replicas_table((TINY, FEW), 1, tmp_path).splitlines()
    one, two = (line.split() for line in lines[1:])
    assert one == ["1", "30.0", "1.00", "1.00"]
    assert two == ["2", "20.0", "1.50", "1.50"]


def test_a_replicated_step_is_measured(tmp_path, steps) -> None:
    number, speed = partial(scaling._replicated, True, (TINY, FEW), 1, tmp_path)()
    assert (number, steps) == ("1", [TINY])
    assert speed.median > 0
