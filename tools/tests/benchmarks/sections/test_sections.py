"""Every section measures what it says, on tiny data."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

import astromer
from astromer.encoder.config import EncoderConfig
from astromer.periodogram.curve_periods import find_periods
from astromer.training.config import TrainingConfig
from tools.benchmarks.measuring.curves import make_curves
from tools.benchmarks.measuring.section import BFLOAT16, OURS, PLAIN
from tools.benchmarks.sections import embedding, input_pipeline, periods, scaling, training

TINY = EncoderConfig(d_model=8, num_heads=2, num_layers=1, ffn_dim=8, window_size=24)
FEW = TrainingConfig(batch_size=8)
WAYS = (PLAIN, OURS, BFLOAT16)


pytestmark = pytest.mark.usefixtures("in_this_process")


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
    found, notes = section.run(1)
    rows = {(row.measurement, row.way): row for row in found}
    names = (training.FULL, training.MIXED, training.FROM_RECORDS)
    assert set(rows) == {(name, way) for name in names for way in WAYS}
    assert all(row.rate > 0 for row in rows.values())
    assert {name for (name, _), row in rows.items() if row.share > 0} == {names[0], names[2]}
    ready = [section.makers[way]() for way in WAYS]
    for name in names:
        assert [ways[name]() for ways in ready] == [24] * 3
    assert "GFLOP/s" in notes[0]
    assert notes[-1].startswith("bfloat16 over the package's float32")


def test_the_third_way_trains_in_bfloat16(tmp_path, monkeypatch) -> None:
    made = {}
    monkeypatch.setattr(training, "make_step", lambda *a: made.setdefault(a[2].precision))
    section = training.section(tmp_path, TINY, FEW, steps=1)
    for way in (OURS, BFLOAT16):
        section.makers[way]()
    assert list(made) == ["float32", "mixed_bfloat16"]


def test_what_the_package_computes_is_told_beside_the_plain_count() -> None:
    done, plain = re.findall(r"[\d,]+(?= MFLOP|\.$)", training.products_note())
    assert int(done.replace(",", "")) < int(plain.replace(",", ""))


def test_the_plain_embedding_is_that_of_the_pushed_model(tmp_path) -> None:
    section = embedding.section(tmp_path, TINY, curves=5)
    curves = make_curves([24, 20, 7, 24, 13])
    expected = astromer.load(tmp_path / "model").embed(curves, progress=False).mean
    got = embedding.PlainEmbedding(TINY)(curves)
    np.testing.assert_allclose(got, expected, atol=2e-5)
    for make in section.makers.values():
        assert [way() for way in make().values()] == [5, 5]


def test_periods_are_found_in_both_ways() -> None:
    section = periods.section(curves=3, length=60)
    assert [make()[periods.PERIODS]() for make in section.makers.values()] == [3, 3]
    curves = make_curves([60] * 3)
    found = find_periods(curves)
    for row in range(3):
        np.testing.assert_allclose(periods.search(curves, row), found.frequencies[row], rtol=1e-5)


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
    assert all(float(line.split()[1].replace(",", "")) > 0 for line in lines[1:])


def test_replicas_take_turns(tmp_path, monkeypatch) -> None:
    works = {True: ("1", 30.0), False: ("2", 20.0)}

    def replicated_way(one, *_):
        number, seconds = works[one]
        return {number: lambda: time.sleep(0.6 / seconds) or 1.0}

    monkeypatch.setattr(scaling, "replicated_way", replicated_way)
    lines = scaling.replicas_table((TINY, FEW), 1, tmp_path).splitlines()
    one, two = (line.split() for line in lines[1:])
    assert one[0] == "1"
    assert one[2:] == ["1.00", "1.00"]
    assert two[0] == "2"
    assert float(two[2]) > 1.1


def test_a_replicated_step_is_measured(tmp_path, steps) -> None:
    ways = scaling.replicated_way(True, (TINY, FEW), tmp_path)
    assert {name: way() for name, way in ways.items()} == {"1": 8}
    assert steps == [TINY]


def test_the_share_of_a_step_is_of_products_in_its_precision(tmp_path, steps) -> None:
    points = scaling.of_training("precision", ("float32", "mixed_bfloat16"), (TINY, FEW))
    table = scaling.step_table("precision", points, "float32", 1, tmp_path).splitlines()
    assert [line.split()[0] for line in table] == ["precision", "float32", "mixed_bfloat16"]
