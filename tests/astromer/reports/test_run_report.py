"""The page: what it says, that it is self-contained, and that poor data make a good one."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from astromer.records.fold import Fold
from astromer.reports import run_report as module
from astromer.reports.run_report import publish_report, write_run_report
from astromer.system.environment import MissingExtraError
from astromer.validation.fold_check import validate_fold
from astromer.validation.output import write_validation
from astromer.windows.config import MaskingConfig
from tests.astromer.reports.conftest import HOSTILE
from tests.pages import Page, assert_looks_right, assert_self_contained
from tests.pipeline.folds import make_curves, write_fold


def read(folder) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def test_it_needs_nothing_but_itself_and_names_are_text(report) -> None:
    text = read(report)
    assert_self_contained(text)
    assert HOSTILE not in text
    assert "\x1b" not in text
    said = Page(text).text
    assert HOSTILE in said
    assert "\\x1b[31m" in said
    assert f"Not blessed, so nothing was pushed: it is no good {HOSTILE}" in said
    assert "resumed 2 times" in said


def test_every_plot_is_on_the_page_and_a_file_beside_it(report) -> None:
    files = sorted((report / "plots").iterdir())
    assert read(report).count("data:image/png") == len(files)
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
    names = {file.stem for file in files}
    expected = {"window_best", "window_median", "window_worst", "window_class_0", "skill_gap"}
    assert expected | {"attention_curve", "attention_heads", "embedding_map"} < names


def test_it_looks_right_in_a_browser(report) -> None:
    assert_looks_right(report / "index.html")


@pytest.mark.slow
def test_poor_data_make_a_page(run, without_errors, quick, tmp_path) -> None:
    few = run.curves.take(np.arange(1, 3))
    unlabelled = replace(few, class_names=np.full(2, ""), ids=np.full(2, ""))
    one_class = run.curves.take(np.flatnonzero(run.curves.class_names == "LPV")[:4])
    runs = {
        "two": replace(run, curves=unlabelled, model_config={}, blessed=None),
        "one": replace(run, curves=run.curves.take(np.array([0])), blessed=True),
        "class": replace(without_errors, curves=one_class),
        "nothing": replace(run, masking=MaskingConfig(probed=0.0)),
    }
    for name, poor in runs.items():
        (tmp_path / name).mkdir()
        assert write_run_report(poor, tmp_path / name, quick) == [], name
        assert_self_contained(read(tmp_path / name))
    assert "make no map" in read(tmp_path / "two")
    assert "no history" in read(tmp_path / "two")
    assert "No step was hidden" in read(tmp_path / "nothing")


def test_a_part_that_fails_leaves_the_others(run, quick, tmp_path, monkeypatch) -> None:
    def fail(*arguments):
        raise ValueError(HOSTILE)

    monkeypatch.setattr(module, "draw_attention", fail)
    [problem] = write_run_report(run, tmp_path, quick)
    assert problem.startswith("attention could not be drawn (ValueError")
    assert problem in Page(read(tmp_path)).text
    assert (tmp_path / "plots" / "embedding_map.png").exists()


def test_without_a_library_there_is_no_page(run, tmp_path, monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "sklearn" else find(name)
    )
    with pytest.raises(MissingExtraError, match=r"astromer-pipeline\[plots\]"):
        write_run_report(run, tmp_path)


def test_what_the_validation_found_is_told_and_linked(run, quick, tmp_path) -> None:
    train = make_curves(24)
    train[4].mag[2] = 99.999
    fold = Fold.open(write_fold(tmp_path / "fold", train=train))
    write_validation(validate_fold(fold, progress=False), tmp_path / "validation")
    (tmp_path / "report").mkdir()
    with_findings = replace(run, validation=tmp_path / "validation")
    assert write_run_report(with_findings, tmp_path / "report", quick) == []
    text = read(tmp_path / "report")
    assert_self_contained(text, "validation.html")
    assert 'href="validation.html"' in text
    assert "1 of 48 objects rejected: 1 mag_out_of_range" in Page(text).text
    assert (tmp_path / "report" / "validation.html").exists()


def test_a_report_is_published_under_its_name_and_as_the_latest(tmp_path) -> None:
    for number in ("1", "2"):
        made = tmp_path / f"made {number}"
        (made / "plots").mkdir(parents=True)
        (made / "index.html").write_text(number)
    reports = tmp_path / "reports"
    first = publish_report(tmp_path / "made 1", reports, "17")
    publish_report(tmp_path / "made 2", reports, "../a b")
    assert first == reports / "17" / "index.html"
    assert first.read_text() == "1"
    assert (reports / "latest" / "index.html").read_text() == "2"
    assert {path.name for path in reports.iterdir()} == {"17", "latest", "_a_b"}
