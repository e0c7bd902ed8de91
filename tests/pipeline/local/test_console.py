"""One line for each component, whatever is drawn in between."""

from __future__ import annotations

from pipeline.local.console import Report
from pipeline.local.dag_runner import Step


def test_each_component_gets_one_line(capsys):
    report = Report()
    for name, cached in (("StatisticsGen", True), ("Trainer", False)):
        report.started(name)
        report.ended(Step(name, cached, 1.25))
    report.started("Pusher")
    report.close()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["StatisticsGen", "cached"],
        ["Trainer", "1.2", "s"],
        ["Pusher", "failed"],
    ]
