from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.records.encoding import encode_light_curve
from astromer.records.reader import iterate_batches, read_light_curves
from astromer.system.errors import LightCurveError, RecordError


def test_curves_come_back_in_order_from_plain_and_gzip_files(tmp_path, make):
    first = make.records(tmp_path / "0.record", [make.record(5, 0), make.record(7, 1)])
    second = make.records(tmp_path / "b.gz", [make.record(1, 2), make.record(9, 3)], "GZIP")
    curves = read_light_curves([str(first), second])
    assert curves.ids.tolist() == ["star-0", "star-1", "star-2", "star-3"]
    assert curves.lengths.tolist() == [5, 7, 1, 9]
    assert curves.labels.tolist() == [1] * 4
    assert curves[3].class_name == "RRL"
    np.testing.assert_allclose(curves[3].mjd, make.series(9, 3)["mjd"], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(curves[1].mag, make.series(7, 1)["mag"])


def test_many_batches_equal_one_curve_at_a_time(tmp_path, make):
    lengths = np.random.default_rng(0).integers(1, 9, 1100)
    file = make.records(
        tmp_path / "0.record", [make.record(int(n), seed) for seed, n in enumerate(lengths)]
    )
    curves = read_light_curves([file])
    np.testing.assert_array_equal(curves.lengths, lengths)
    np.testing.assert_array_equal(curves[1099].mag, make.series(int(lengths[1099]), 1099)["mag"])
    batches = list(iterate_batches([file, file]))
    assert sum(len(batch) for batch in batches) == 2200
    assert [b.first_record for b in batches] == [0, 512, 1024, 0, 512, 1024]


@pytest.mark.parametrize("limit", [0, 1, 3, 4, 99])
def test_the_limit_counts_over_files(tmp_path, make, limit):
    files = [
        make.records(tmp_path / name, [make.record(4, i), make.record(6, i + 1)])
        for i, name in enumerate(("0.record", "1.record"))
    ]
    curves = read_light_curves(files, limit=limit)
    assert len(curves) == min(limit, 4)
    assert curves.num_observations == len(curves.mag)


def test_the_older_layout_and_missing_context(tmp_path, make):
    older = make.sequence_example({"dim_0": [1, 2], "dim_1": [3, 4], "dim_2": [5, 6]}, id="x7")
    older.context.feature["label"].int64_list.value.append(4)
    older.context.feature["length"].int64_list.value.append(2)
    bare = make.sequence_example({"mjd": [1], "mag": [2], "errmag": [3]})
    numbered = encode_light_curve(make.series(3), {"newID": 12, "Label": "unknown"})
    records = [older.SerializeToString(), bare.SerializeToString(), numbered]
    curves = read_light_curves([make.records(tmp_path / "0.record", records)])
    assert curves.ids.tolist() == ["x7", "", "12"]
    assert curves.labels.tolist() == [4, -1, -1]
    assert curves[0].mjd.tolist() == [1, 2]
    assert curves[0].errmag.tolist() == [5, 6]


def _with_wrong_type(make):
    example = make.sequence_example({"mjd": [1], "errmag": [1]}, ID="odd one")
    example.feature_lists.feature_list["mag"].feature.add().int64_list.value.append(3)
    return example.SerializeToString()


def _plain_example():
    example = tf.train.Example()
    example.features.feature["brightness"].float_list.value.append(1)
    return example.SerializeToString()


BAD_RECORDS = {
    "not a tf.train.SequenceExample": lambda make: b"\xff\xffgarbage",
    "brightness": lambda make: _plain_example(),
    "'mag' must be a float_list": _with_wrong_type,
    "lacks the feature list 'mag'": lambda make: make.sequence_example(
        {"mjd": [1], "errmag": [1]}, ID="odd one"
    ).SerializeToString(),
    "lacks the feature list 'dim_2'": lambda make: make.sequence_example(
        {"dim_0": [1], "dim_1": [1]}, id="odd one"
    ).SerializeToString(),
}


@pytest.mark.parametrize("expected", BAD_RECORDS)
def test_a_record_that_is_no_light_curve_is_named(tmp_path, make, expected):
    good = [make.record(5, i) for i in range(600)]
    records = [*good, BAD_RECORDS[expected](make), make.record()]
    file = make.records(tmp_path / "3.record", records)
    ok = make.records(tmp_path / "0.record", good)
    with pytest.raises(RecordError) as caught:
        read_light_curves([ok, file])
    message = str(caught.value)
    assert expected in message
    assert f"record 600 (counted from 0) of {file}" in message
    if "feature list" in expected or "float_list" in expected:
        assert "odd one" in message
    assert len(message) < 400


def test_unequal_and_empty_series_are_named(tmp_path, make):
    unequal = make.sequence_example({"mjd": [1, 2], "mag": [1], "errmag": [1, 2]}, ID="u")
    empty = make.sequence_example({"mjd": [], "mag": [], "errmag": []}, ID="e")
    for example, expected in ((unequal, "mjd 2, mag 1, errmag 2"), (empty, "empty light curve")):
        file = make.records(tmp_path / "0.record", [make.record(), example.SerializeToString()])
        with pytest.raises(LightCurveError, match=expected) as caught:
            read_light_curves([file])
        name = example.context.feature["ID"].bytes_list.value[0].decode()
        assert f"(object {name})" in str(caught.value)
        assert "record 1 (counted from 0)" in str(caught.value)


@pytest.mark.parametrize("compression", ["", "GZIP"])
@pytest.mark.parametrize("damage", ["flipped byte", "cut off"])
def test_damage_is_reported_at_its_record(tmp_path, make, damage, compression):
    file = make.records(tmp_path / "0.record", [make.record(50, i) for i in range(9)], compression)
    content = bytearray(file.read_bytes())
    if damage == "cut off":
        del content[-20:]
    else:
        content[len(content) * 3 // 4] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(RecordError) as caught:
        read_light_curves([file])
    message = str(caught.value)
    assert str(file) in message
    assert "record " in message
    assert len(message) < 300
    if not compression:
        assert ("cut off" in message) == (damage == "cut off")
        assert f"record {8 if damage == 'cut off' else 6} " in message


def test_a_file_that_vanished_is_a_record_error(tmp_path):
    with pytest.raises(RecordError, match="cannot be read"):
        read_light_curves([tmp_path / "gone.record"])


def test_no_files_and_no_records_give_no_curves(tmp_path, make):
    assert len(read_light_curves([])) == 0
    assert len(read_light_curves([make.records(tmp_path / "0.record", [])])) == 0


def test_lenient_reading_lets_curves_through_whose_series_do_not_fit(tmp_path, make):
    records = [
        make.record(5, 0),
        make.sequence_example({"mjd": [1, 2], "mag": [1], "errmag": [1, 2]}).SerializeToString(),
        make.sequence_example({"mjd": [1, 2], "mag": [3, 4]}, ID="n").SerializeToString(),
        make.sequence_example({"mjd": [], "mag": [], "errmag": []}).SerializeToString(),
        make.sequence_example({"mjd": [1], "errmag": [1]}).SerializeToString(),
        make.record(7, 1, Band="V", Period=0.57),
    ]
    (batch,) = iterate_batches([make.records(tmp_path / "0.record", records)], strict=False)
    assert batch.lengths.tolist() == [5, 0, 2, 0, 0, 7]
    assert batch.series_lengths[:, 1].tolist() == [2, 1, 2]
    assert len(batch.mjd) == len(batch.mag) == len(batch.errmag) == 14
    assert batch.mag[5:7].tolist() == [3, 4]
    assert np.isnan(batch.errmag).tolist() == [False] * 5 + [True] * 2 + [False] * 7
    np.testing.assert_array_equal(batch.errmag[7:], make.series(7, 1)["errmag"])
    assert [context.band for context in batch.contexts()][4:] == ["", "V"]
    period = float(np.float32(0.57))
    np.testing.assert_array_equal(batch.periods, [np.nan] * 5 + [period])
    assert batch.contexts()[5].period == batch[5].period == period


@pytest.mark.parametrize("bad", [_with_wrong_type, lambda make: _plain_example()])
def test_lenient_reading_still_refuses_what_is_no_light_curve(tmp_path, make, bad):
    empty = make.sequence_example({"mjd": [], "mag": []}, ID="e").SerializeToString()
    file = make.records(tmp_path / "0.record", [empty, make.record(), bad(make)])
    with pytest.raises(RecordError, match=r"record 2 \(counted from 0\)"):
        list(iterate_batches([file], strict=False))
