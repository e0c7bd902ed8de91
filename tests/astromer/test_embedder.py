"""Embedding with a pushed model: API and program."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

import astromer
from astromer.embed import embed, parse
from astromer.errors import DataNotFoundError, ModelError
from astromer.export import export_saved_model, latest_version
from astromer.light_curves import LightCurves


@pytest.fixture(scope="module")
def pushed(toy, tmp_path_factory):
    """A folder of two versions; the newer one has other weights."""
    folder = tmp_path_factory.mktemp("serving")
    export_saved_model(toy.model(seed=1), folder / "9")
    export_saved_model(toy.model(seed=2), folder / "10")
    (folder / "11").mkdir()  # half made
    return folder


def test_the_newest_whole_version_is_taken(pushed):
    assert latest_version(pushed).name == "10"
    assert latest_version(pushed / "9").name == "9"


def test_order_and_batch_size_change_nothing(pushed, toy):
    encoder = astromer.load(pushed)
    curves = toy.curves([45, 5, 130, 20, 7])
    together = encoder.embed(curves, progress=False)
    assert together.mean.shape == (5, 8)
    assert list(together.ids) == list(curves.ids)
    assert list(together.num_observations) == [45, 5, 130, 20, 7]
    for index in range(5):
        alone = encoder.embed(LightCurves.from_curves([curves[index]]), progress=False)
        np.testing.assert_allclose(alone.mean[0], together.mean[index], atol=1e-6)
        np.testing.assert_allclose(alone.max[0], together.max[index], atol=1e-6)


def test_short_curves_are_marked_and_harm_no_other(pushed, toy):
    encoder = astromer.load(pushed)
    curves = toy.curves([4, 30])
    result = encoder.embed(curves, progress=False)
    assert list(result.status) == [1, 0]
    assert not result.mean[0].any()
    assert result.mean[1].any()
    nan = dataclasses.replace(curves, mag=np.full_like(curves.mag, np.nan))
    assert list(encoder.embed(nan, progress=False).status) == [1, 1]


def test_no_curves(pushed):
    assert astromer.load(pushed).embed(LightCurves.from_curves([])).mean.shape == (0, 8)


def test_missing_models_are_told(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        astromer.load(tmp_path / "nothing")
    with pytest.raises(ModelError, match="holds none"):
        astromer.load(tmp_path)


def test_the_program_writes_a_table(pushed, toy, tmp_path):
    import tensorflow as tf

    from astromer.records.codec import encode_light_curve

    curves = toy.curves([30, 12])
    with tf.io.TFRecordWriter(str(tmp_path / "0.record")) as writer:
        for index in range(2):
            curve = curves[index]
            series = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
            context = {"ID": curve.id, "Label": curve.label, "Class": curve.class_name}
            writer.write(encode_light_curve(series, context))
    out = tmp_path / "e.parquet"
    arguments = ["--model", str(pushed), "--data", str(tmp_path), "--out", str(out)]
    embed(parse(arguments))
    table = pq.read_table(out)
    assert table["id"].to_pylist() == ["star-0", "star-1"]
    assert table["class"].to_pylist() == ["RRL", "LPV"]
    expected = astromer.load(pushed).embed(curves, progress=False).mean
    np.testing.assert_allclose(np.stack(table["mean"].to_numpy()), expected, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_the_program_refuses_missing_data(pushed, tmp_path):
    arguments = ["--model", str(pushed), "--data", str(tmp_path / "no"), "--out", "x.parquet"]
    with pytest.raises(DataNotFoundError):
        embed(parse(arguments))
