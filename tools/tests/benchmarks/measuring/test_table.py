from __future__ import annotations

from tools.benchmarks.measuring.table import HEAD, Row, lines


def row(**changes) -> Row:
    settings = {
        "measurement": "train step",
        "way": "plain",
        "rate": 50.0,
        "processor_rate": 30.0,
        "peak": 512 * 2**20,
        "flops": 2e9,
        "share": 0.5,
        "ratio": 1.0,
        "processor_ratio": 1.0,
    }
    return Row(**{**settings, **changes})


def test_a_row_has_every_figure_under_its_heading() -> None:
    (line,) = lines([row()])
    assert len(HEAD) == len(line)
    assert line.split() == [
        "train",
        "step",
        *["plain", "50", "30", "2,000", "100", "50%", "512", "1.00", "1.00"],
    ]
    assert HEAD.split()[-6:] == ["product", "peak", "MiB", "ratio", "CPU", "ratio"]


def test_a_measurement_is_named_once_and_what_is_not_measured_is_a_dash() -> None:
    quick = row(way="package", flops=0.0, share=0.0, peak=0, ratio=2.3501)
    first, second = lines([row(), quick])
    assert first.startswith("train step")
    assert second.split() == ["package", "50", "30", "-", "-", "-", "-", "2.35", "1.00"]
