"""The program ``astromer validate``, its limits and what it writes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from astromer.commands.validate import main
from astromer.system.errors import DataAnomalyError, RecordError, UsageError
from tests.astromer.validation import corpus
from tests.pipeline.folds import encode


def test_rejected_objects_are_counted_listed_and_let_pass(tmp_path, capsys):
    fold = corpus.write_splits(tmp_path / "fold", train=corpus.spoilt("sentinel"))
    report = tmp_path / "report"
    assert main(["--data", str(fold), "--report", str(report)]) == 0
    assert "1 of 48 objects rejected: 1 mag_out_of_range" in capsys.readouterr().out
    (finding,) = pq.read_table(report / "findings.parquet").to_pylist()
    assert finding["object_id"] == "star0-5"
    assert finding["rule"] == "mag_out_of_range"
    with open(report / "rejected.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    expected = {"split": "train", "object_id": "star0-5", "rules": "mag_out_of_range"}
    assert row == {**expected, "file": str(fold / "train/0.record"), "record": "5"}
    summary = json.loads((report / "summary.json").read_text())
    assert summary["curves"] == corpus.SIZES
    assert summary["rejected"] == {"train": 1, "validation": 0, "test": 0}
    assert summary["rules"]["mag_out_of_range"]["severity"] == "reject"


def test_over_the_limit_it_stops_and_still_writes_the_report(tmp_path, capsys):
    fold = corpus.write_splits(tmp_path / "fold", train=corpus.spoilt("sentinel"))
    arguments = ["--data", str(fold), "--max-rejected", "0.02", "--report", str(tmp_path / "r")]
    with pytest.raises(
        DataAnomalyError, match=r"2\.1% .* more than --max-rejected 0\.02"
    ) as caught:
        main(arguments)
    assert "star0-5" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "r" / "rejected.csv").is_file()
    assert main(["--data", str(fold), "--max-rejected", "0.03"]) == 0


def test_missing_errors_are_refused_or_filled_in_by_a_stated_policy(tmp_path, capsys):
    bare = [corpus.OBJECTS["no errors"][1](curve) for curve in corpus.good("train")]
    fold = corpus.write_splits(tmp_path / "fold", train=bare)
    with pytest.raises(DataAnomalyError, match="24 missing_errmag"):
        main(["--data", str(fold)])
    assert main(["--data", str(fold), "--missing-errors", "scatter"]) == 0
    assert "0 of 48 objects rejected" in capsys.readouterr().out


def test_a_rule_that_stops_stops_at_one_object(tmp_path):
    fold = corpus.write_splits(tmp_path / "fold", train=corpus.spoilt("sentinel"))
    with pytest.raises(DataAnomalyError, match="mag_out_of_range, which stops the run"):
        main(["--data", str(fold), "--rule", "mag_out_of_range=stop"])
    assert main(["--data", str(fold), "--rule", "mag_out_of_range=off"]) == 0


def test_a_split_without_any_good_light_curve_stops(tmp_path):
    bad = [corpus.OBJECTS["sentinel"][1](curve) for curve in corpus.good("test", 2)]
    fold = corpus.write_splits(tmp_path / "fold", test=bad)
    with pytest.raises(DataAnomalyError, match="all 2 light curves of the test split"):
        main(["--data", str(fold), "--max-rejected", "1"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("unsorted=warn", "Did you mean unsorted_mjd"),
        ("nonsense", "NAME=SEVERITY"),
        ("unsorted_mjd=ignore", "must be one of reject, warn, stop, off"),
        ("not_finite=warn", "must be one of reject, stop"),
    ],
)
def test_a_rule_or_severity_that_is_unknown_is_refused(option, said):
    with pytest.raises(UsageError, match=said):
        main(["--data", "nowhere", "--rule", option])


def test_a_star_tested_on_in_two_folds_is_a_warning(tmp_path, capsys):
    for number in range(2):
        curves = corpus.good("test", seed=10 + number)
        curves[4] = replace(curves[4], id="everywhere")
        train = corpus.good("train", seed=20 + number)
        corpus.write_splits(tmp_path / f"fold_{number}", test=curves, train=train)
    assert main(["--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"{tmp_path / 'fold_1'}:" in out
    assert "shared_test_star" in out
    assert "everywhere" in out
    with pytest.raises(DataAnomalyError, match=r"shared_test_star.*everywhere"):
        main(["--data", str(tmp_path), "--rule", "shared_test_star=stop"])


def test_a_renamed_copy_tested_on_in_two_folds_is_listed(tmp_path, capsys):
    copied = corpus.good("test", seed=30)[2]
    for number in range(2):
        curves = corpus.good("test", seed=10 + number)
        curves[4] = replace(copied, id=f"name {number}")
        train = corpus.good("train", seed=20 + number)
        corpus.write_splits(tmp_path / f"fold_{number}", test=curves, train=train)
    report = tmp_path / "report"
    assert main(["--data", str(tmp_path), "--report", str(report)]) == 0
    assert "has the observations of name 0 in the test split of" in capsys.readouterr().out
    (finding,) = pq.read_table(report / "shared_test_stars.parquet").to_pylist()
    assert (finding["object_id"], finding["record"]) == ("name 1", 4)
    assert (report / "fold_1" / "report.html").is_file()


NAMES = [
    "line\nbreak\x1b[31m",
    "ab\0cd",
    "x" * 10_000,
    "<script>$x_{1}$ \"'{{7*7}}",
    "☆ 星",
    "=1+1",
]


@pytest.mark.parametrize("name", NAMES)
def test_objects_of_any_name_are_named(tmp_path, name):
    curves = corpus.spoilt("sentinel")
    curves[corpus.BAD] = replace(curves[corpus.BAD], id=name)
    fold = corpus.write_splits(tmp_path / "fold", train=curves)
    report = tmp_path / "report"
    with pytest.raises(DataAnomalyError, match="mag_out_of_range") as caught:
        main(["--data", str(fold), "--report", str(report), "--max-rejected", "0"])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 900
    (finding,) = pq.read_table(report / "findings.parquet").to_pylist()
    assert finding["object_id"][:100] == name[:100]
    with open(report / "rejected.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    told = finding["object_id"].replace("\0", "\\x00")
    assert row["object_id"] == (f"'{told}" if name == "=1+1" else told)  # text to spreadsheets
    page = (report / "report.html").read_text()
    assert "<script" not in page
    assert "\x1b" not in page


def test_a_corrupt_file_is_named_with_its_record(tmp_path):
    records = [encode(curve) for curve in corpus.good("train")]
    fold = corpus.write_splits(tmp_path / "fold", train=[*records[:7], b"\xff\xff", *records[7:]])
    with pytest.raises(RecordError, match=r"record 7 \(counted from 0\) of .*train/0\.record"):
        main(["--data", str(fold)])


@pytest.mark.slow
def test_as_a_program_it_exits_with_its_code_and_one_line(tmp_path, toy):
    fold: Path = corpus.write_splits(tmp_path / "fold", train=corpus.spoilt("sentinel"))
    done = toy.python("-m", "astromer", "validate", "--data", str(fold), "--max-rejected", "0")
    assert done.returncode == 6
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
    assert "1 of 48 objects rejected" in done.stdout
