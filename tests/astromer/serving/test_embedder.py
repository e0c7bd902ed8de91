"""Embedding with a pushed model: API and program."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

import astromer
from astromer.commands.embed import embed, parse
from astromer.light_curves import LightCurves
from astromer.serving import embedder
from astromer.serving.checksums import digest
from astromer.serving.export import export_saved_model
from astromer.serving.starter.package import identity_of
from astromer.system.errors import (
    DataAnomalyError,
    DataNotFoundError,
    LightCurveError,
    ModelError,
    UsageError,
)


@pytest.fixture(scope="module")
def pushed(toy, tmp_path_factory):
    """A folder of two versions; the newer one has other weights."""
    folder = tmp_path_factory.mktemp("serving")
    export_saved_model(toy.model(seed=1), folder / "9")
    export_saved_model(toy.model(seed=2), folder / "10")
    (folder / "11").mkdir()  # half made
    return folder


@pytest.fixture(scope="module")
def encoder(pushed):
    return astromer.load(pushed)


def test_the_newest_whole_version_is_taken(pushed, encoder):
    assert encoder.path == pushed / "10"
    assert astromer.load(pushed / "9").path.name == "9"


def test_order_and_batch_size_change_nothing(encoder, toy):
    curves = toy.curves([45, 5, 130, 20, 7])
    together = encoder.embed(curves, progress=False)
    assert together.mean.shape == (5, 8)
    assert list(together.ids) == list(curves.ids)
    assert list(together.num_observations) == [45, 5, 130, 20, 7]
    for index in range(5):
        alone = encoder.embed(LightCurves.from_curves([curves[index]]), progress=False)
        np.testing.assert_allclose(alone.mean[0], together.mean[index], atol=1e-6)
        np.testing.assert_allclose(alone.max[0], together.max[index], atol=1e-6)


def test_short_curves_are_marked_and_harm_no_other(encoder, toy):
    curves = toy.curves([4, 30])
    result = encoder.embed(curves, progress=False)
    assert list(result.status) == [1, 0]
    assert not result.mean[0].any()
    assert result.mean[1].any()
    nan = dataclasses.replace(curves, mag=np.full_like(curves.mag, np.nan))
    assert list(encoder.embed(nan, progress=False).status) == [1, 1]


def test_long_curves_are_calls_of_their_own(encoder, toy, monkeypatch):
    curves = toy.curves([45, 300, 20, 20, 20])
    expected = encoder.embed(curves, progress=False)
    monkeypatch.setattr(embedder, "_OBSERVATIONS_PER_CALL", 45)
    calls = list(embedder._calls(curves.offsets, 1, 1024, 10**9, False))
    assert calls == [(0, 1), (1, 2), (2, 4), (4, 5)]
    got = encoder.embed(curves, progress=False)
    np.testing.assert_allclose(got.mean, expected.mean, atol=1e-6)
    got = encoder.embed(curves, progress=False, batch_size=1)
    np.testing.assert_allclose(got.mean, expected.mean, atol=1e-6)
    with pytest.raises(UsageError, match="batch_size must be at least 1"):
        encoder.embed(curves, batch_size=0)


def test_plain_arrays_are_taken(encoder, toy):
    curves = toy.curves([30, 12])
    expected = encoder.embed(curves).mean
    pairs = [(curve.mjd, curve.mag, curve.errmag) for curve in (curves[0], curves[1])]
    np.testing.assert_allclose(encoder.embed(pairs).mean, expected, atol=1e-6)
    np.testing.assert_allclose(encoder.embed(curves[1]).mean, expected[1:], atol=1e-6)
    unknown = [(mjd, mag, None) for mjd, mag, _ in pairs]
    np.testing.assert_allclose(encoder.embed(unknown).mean, expected, atol=1e-6)
    with pytest.raises(LightCurveError, match=r"curves\[1\]\.mag must be as long"):
        encoder.embed([pairs[0], (curves[1].mjd, curves[0].mag)])


def test_a_version_may_be_named(pushed, toy):
    assert astromer.load(pushed, version=9).path.name == "9"
    with pytest.raises(ModelError, match=r"version 12 of .*which has 9, 10\."):
        astromer.load(pushed, version=12)


def test_reconstruction(encoder, toy):
    curves = toy.curves([45, 5, 3])
    drawn = encoder.reconstruct(curves, probed=0.6, seed=2, progress=False)
    assert [len(mag) for mag in drawn.mag] == [45, 5, 3]
    assert [int(hidden.sum()) for hidden in drawn.hidden] == [12 + 12 + 3, 3, 0]
    assert drawn.status.tolist() == [0, 0, 1]
    assert np.isfinite(drawn.mag[0]).all()
    assert np.isnan(drawn.mag[2]).all()
    visible = [~hidden for hidden in drawn.hidden]
    given = encoder.reconstruct(curves, visible=visible, batch_size=1, progress=False)
    for one, other in zip(drawn.mag, given.mag, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    alone = encoder.reconstruct(curves[0], visible=visible[0])
    np.testing.assert_allclose(alone.mag[0], drawn.mag[0], atol=1e-4)
    # What is hidden does not matter, not even whether it is there.
    planted = np.where(visible[0], curves[0].mag, np.nan)
    blind = encoder.reconstruct((curves[0].mjd, planted, curves[0].errmag), visible=visible[0])
    assert blind.mag[0].tobytes() == alone.mag[0].tobytes()
    assert len(encoder.reconstruct([])) == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"probed": 1.5}, r"probed must be in \[0, 1\]"),
        ({"visible": [np.ones(45, bool)]}, r"row for each light curve \(2\). Received: 1"),
        ({"visible": [np.ones(45, bool), np.ones(4, bool)]}, r"visible\[1\] must be bool.*\[4\]"),
        ({"visible": [np.ones(45), np.ones(5)]}, r"visible\[0\] must be bool.*float64"),
    ],
)
def test_what_reconstruct_refuses(encoder, toy, options, told):
    with pytest.raises(UsageError, match=told):
        encoder.reconstruct(toy.curves([45, 5]), **options)


def test_no_curves(encoder):
    assert encoder.embed(LightCurves.from_curves([])).mean.shape == (0, 8)


def test_missing_models_are_told(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        astromer.load(tmp_path / "nothing")
    with pytest.raises(ModelError, match="holds none"):
        astromer.load(tmp_path)


def test_the_program_writes_a_table(pushed, encoder, toy, tmp_path):
    import tensorflow as tf

    from astromer.records.encoding import encode_light_curve

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
    expected = encoder.embed(curves, progress=False).mean
    np.testing.assert_allclose(np.stack(table["mean"].to_numpy()), expected, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_the_program_reads_long_tables(pushed, encoder, toy, tmp_path, suffix, monkeypatch):
    curves = toy.curves([30, 3, 12, 50])
    table = pa.table(
        {
            "target": np.repeat(curves.ids, curves.lengths),
            "mjd": curves.mjd,
            "mag": curves.mag,
            "errmag": curves.errmag,
        }
    )
    data, out = tmp_path / f"survey{suffix}", tmp_path / "e.parquet"
    if suffix == ".csv":
        csv.write_csv(table, data)
    else:
        pq.write_table(table, data, row_group_size=20)
    arguments = ["--model", str(pushed), "--data", str(data), "--out", str(out)]
    with pytest.raises(DataAnomalyError, match="no column with the objects' ids"):
        embed(parse(arguments))
    embed(parse([*arguments, "--id-column", "target"]))
    found = pq.read_table(out)
    assert found["id"].to_pylist() == list(curves.ids)
    assert found["band"].to_pylist() == [""] * 4
    metadata = found.schema.metadata
    assert metadata.pop(b"astromer_embeddings") == b"3"
    made_by = json.loads(metadata.pop(b"astromer_model"))
    assert made_by.pop("astromer_version") == astromer.__version__
    assert made_by == identity_of(pushed / "10").to_dict()
    assert made_by["sha256"] == digest(pushed / "10" / "assets.extra" / "weights.npz")
    assert not metadata
    assert found["status"].to_pylist() == [0, 1, 0, 0]
    expected = encoder.embed(curves, progress=False).mean
    np.testing.assert_allclose(np.stack(found["mean"].to_numpy()), expected, atol=1e-5)


def test_the_program_marks_lists_that_do_not_fit(pushed, toy, tmp_path):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "0.record")) as writer:
        for counts in ((30, 30, 30), (30, 29, 30), (30, 30, 0), (30, 0, 30)):
            example = tf.train.SequenceExample()
            for name, count in zip(("mjd", "mag", "errmag"), counts, strict=True):
                values = np.linspace(0.1, 0.2, 30)[:count] + (58000 if name == "mjd" else 0)
                feature = example.feature_lists.feature_list[name].feature.add()
                feature.float_list.value.extend(values)
            writer.write(example.SerializeToString())
    out = tmp_path / "e.parquet"
    embed(parse(["--model", str(pushed), "--data", str(tmp_path), "--out", str(out)]))
    assert pq.read_table(out)["status"].to_pylist() == [0, 2, 0, 3]


def test_the_program_refuses_missing_data(pushed, tmp_path):
    arguments = ["--model", str(pushed), "--data", str(tmp_path / "no"), "--out", "x.parquet"]
    with pytest.raises(DataNotFoundError):
        embed(parse(arguments))
