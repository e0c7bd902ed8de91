"""One line for each component, whatever is drawn in between."""

from __future__ import annotations

from pathlib import Path

from pipeline.local.console import Report, Step, blessing_line, counted, paragraph, short, times


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


def test_paragraphs_are_aligned_and_fit() -> None:
    lines = paragraph("Verdict", "word " * 40 + "\nnext line").splitlines()
    assert lines[0].startswith("Verdict   word")
    assert all(line.startswith(" " * 10) for line in lines[1:])
    assert lines[-1].strip() == "next line"
    assert max(map(len, lines)) <= 80


def test_a_path_is_never_broken() -> None:
    path = "/a-long-folder" * 12
    assert path in paragraph("Log", f"{path} and more")


def test_the_slowest_components_come_first() -> None:
    seconds = {"A": 3.0, "B": 200.0, "C": 0.1, "D": 9.0, "E": 2.0, "F": 1.0}
    steps = {name: Step(name, seconds=took) for name, took in seconds.items()}
    steps["G"] = Step("G", cached=True)
    text = " ".join(times(steps).split())
    assert (
        text == "Time 4 min: B 3 min, D 9 s, A 3 s, E 2 s, others 1 s, 1 component from the cache"
    )


def test_a_verdict_says_why_not() -> None:
    assert "not blessed" in blessing_line("it is worse.", "")
    assert "it is worse." in blessing_line("it is worse.", "")
    assert blessing_line("", "pushed as version 3").endswith(" blessed, pushed as version 3")


def test_units_and_paths_as_people_write_them(tmp_path: Path, monkeypatch) -> None:
    assert [counted(n, "epoch") for n in (1, 2000)] == ["1 epoch", "2,000 epochs"]
    monkeypatch.chdir(tmp_path)
    assert short(tmp_path / "a b") == "'a b'"
    assert short("/elsewhere") == "/elsewhere"
