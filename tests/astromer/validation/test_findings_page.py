"""The HTML page: what it says, that it is self-contained and that names cannot break it."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from astromer.commands.validate import main
from astromer.records.fold import Fold
from astromer.system.environment import MissingExtraError
from astromer.validation.config import ValidationConfig
from astromer.validation.fold_check import validate_fold
from astromer.validation.output import write_findings_page
from tests.astromer.validation import corpus
from tests.pages import Page, assert_looks_right, assert_self_contained
from tests.pipeline.folds import encode

HOSTILE = '<script>alert("x")</script>'
FORMULA = "$\\frac{1}{ & \x1b[31m"


@pytest.fixture(scope="module")
def validation(tmp_path_factory):
    broken = []
    for number, (_, spoil, _) in enumerate(corpus.OBJECTS.values()):
        (curve,) = corpus.good("train", 1, 100 + number)
        broken.append(spoil(replace(curve, id=f"broken-{number}")))
    good = [
        replace(curve, id=f"good-{n}", class_name=f"{FORMULA}{n % 40}")
        for n, curve in enumerate(corpus.good("train", 120))
    ]
    good[3] = replace(good[3], id=HOSTILE, mag=np.full(len(good[3]), 12.5, np.float32))
    good[4] = replace(good[4], id=FORMULA, mag=np.full(len(good[4]), 12.5, np.float32))
    fold = corpus.write_splits(
        tmp_path_factory.mktemp("hostile") / "fold",
        train=[*broken, *(encode(curve) for curve in good), encode(good[7])],
        test=[*corpus.good("test"), good[9]],
    )
    return validate_fold(Fold.open(fold), progress=False)


@pytest.fixture(scope="module")
def page(validation, tmp_path_factory) -> str:
    return write_findings_page(validation, tmp_path_factory.mktemp("page")).read_text(
        encoding="utf-8"
    )


def test_it_needs_nothing_but_itself(page):
    assert_self_contained(page)


def test_it_looks_right_in_a_browser(page, tmp_path):
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    assert_looks_right(tmp_path / "report.html")


def test_names_are_text(page):
    assert HOSTILE not in page
    assert HOSTILE in Page(page).text
    assert "\x1b" not in page
    assert "\\x1b[31m" in Page(page).text


def test_it_has_every_broken_rule_with_counts_and_a_plot(page, validation):
    parsed = Page(page)
    for rule in validation.findings.counts():
        assert f'id="{rule}"' in page
        assert f"#{rule}" in parsed.addresses
    plotted = sum(len(curve) > 0 for _, curve in validation.examples)
    assert page.count("data:image/png") == plotted
    assert page.count("data:image/svg") == 7
    assert page.count("There is nothing to plot") == len(validation.examples) - plotted > 0
    assert f"{validation.num_rejected} of {validation.num_curves} objects rejected" in parsed.text


def test_a_refusal_is_said_on_top(validation, tmp_path):
    strict = replace(validation, config=ValidationConfig(max_rejected=0.01))
    text = write_findings_page(strict, tmp_path).read_text()
    assert "The run stops:" in text
    assert "more than --max-rejected 0.01" in Page(text).text


def test_equal_validations_give_equal_pages(validation, page, tmp_path):
    assert write_findings_page(validation, tmp_path).read_text(encoding="utf-8") == page


def test_without_the_libraries_the_other_files_are_still_written(tmp_path, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "jinja2" else find(name)
    )
    fold = corpus.write_splits(tmp_path / "fold", train=corpus.spoilt("sentinel"))
    assert main(["--data", str(fold), "--report", str(tmp_path / "report")]) == 0
    said = capsys.readouterr().err
    assert 'no report.html was made: jinja2 is not installed. Install with: pip install "' in said
    assert "astromer-pipeline[plots]" in said
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert written == {"findings.parquet", "rejected.csv", "summary.json", "table.txt"}
    with pytest.raises(MissingExtraError):
        write_findings_page(validate_fold(Fold.open(fold), progress=False), Path(tmp_path))
