from __future__ import annotations

import numpy as np
import pytest

from astromer.errors import DataNotFoundError, LightCurveError, RecordError
from astromer.records.check import check_fold
from astromer.records.codec import encode_light_curve
from astromer.records.fold import Fold
from pipeline_config import LightCurveRules

RULES = LightCurveRules()


def test_the_summary_counts_every_split(tmp_path, make):
    make.fold(tmp_path)
    backwards = make.series(20)
    backwards["mjd"] = backwards["mjd"][::-1]
    make.records(
        tmp_path / "test" / "1.record", [make.record(3), encode_light_curve(backwards, {})]
    )
    summary = check_fold(Fold.open(tmp_path), RULES, progress=False)
    train, test = summary.splits["train"], summary.splits["test"]
    assert (train.curves, train.observations) == (3, 10 + 11 + 12)
    assert train.length_quantiles == (10, 10.5, 11, 11.5, 12)
    assert (train.short_curves, train.unsorted_curves) == (0, 0)
    assert (test.curves, test.short_curves, test.unsorted_curves) == (5, 1, 1)
    assert summary.to_dict()["test"]["curves"] == 5


@pytest.mark.parametrize("field", ["mjd", "mag", "errmag"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_stop_it_and_are_located(tmp_path, make, field, value):
    make.fold(tmp_path)
    records = [make.record(6, i) for i in range(5)]
    for position in (2, 4):
        bad = make.series(8)
        bad[field][5:7] = value
        records[position] = encode_light_curve(bad, {"ID": f"bad-{position}"})
    file = make.records(tmp_path / "validation" / "0.record", records)
    with np.errstate(invalid="ignore"), pytest.raises(LightCurveError) as caught:
        check_fold(Fold.open(tmp_path), RULES, progress=False)
    message = str(caught.value)
    assert "2 of 11 light curves" in message
    assert f"record 2 (counted from 0) of {file} in the validation split" in message
    assert "bad-2" in message
    assert f"{field}[5] is {value}" in message


def test_files_without_records_are_an_empty_split(tmp_path, make):
    make.fold(tmp_path)
    make.records(tmp_path / "test" / "0.record", [], "GZIP")
    with pytest.raises(DataNotFoundError, match=r"test split.*no light curves"):
        check_fold(Fold.open(tmp_path), RULES, progress=False)


def test_damage_beyond_the_first_record_is_found(tmp_path, make):
    make.fold(tmp_path)
    file = tmp_path / "train" / "0.record"
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(RecordError, match=r"record 2 .* cut off"):
        check_fold(Fold.open(tmp_path), RULES, progress=False)
