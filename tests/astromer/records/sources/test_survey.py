from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.commands.create_records import main
from astromer.records.encoding import encode_light_curve
from astromer.system.errors import DataAnomalyError, RecordError


def write_fold(folder, make, curves, encode, *, validation: str, suffix: str, compression: str):
    names = list(curves)
    parts = {"train": names[:5], validation: names[5:7], "test": names[7:]}
    for split, own in parts.items():
        records = [encode(name, curves[name]) for name in own]
        make.records(folder / split / f"part_0.{suffix}", records, compression)
    return folder


def older(name, curve) -> bytes:
    """Context id, label, length; dim_0 to dim_2 as lists of single values."""
    example = tf.train.SequenceExample()
    example.context.feature["id"].bytes_list.value.append(name.encode())
    example.context.feature["label"].int64_list.value.append(int(name[-1]) % 2)
    example.context.feature["length"].int64_list.value.append(len(curve["mjd"]))
    for dim, series in (("dim_0", "mjd"), ("dim_1", "mag"), ("dim_2", "errmag")):
        for value in curve[series].tolist():
            feature = example.feature_lists.feature_list[dim].feature.add()
            feature.float_list.value.append(value)
    return example.SerializeToString()


def canonical(name, curve) -> bytes:
    context = {"ID": name, "Label": 1, "Class": "RRL", "Band": "R", "Period": 0.5, "shard": 3}
    return encode_light_curve(curve, context)


@pytest.mark.parametrize(
    ("encode", "validation", "suffix", "compression"),
    [
        (older, "val", "tfrecord", "GZIP"),
        (older, "validation", "record", ""),
        (canonical, "val", "record", ""),
        (canonical, "validation", "tfrecord", "GZIP"),
    ],
)
def test_a_fold_is_divided_again(tmp_path, survey, make, encode, validation, suffix, compression):
    curves = survey.values()
    fold = write_fold(
        tmp_path / "fold",
        make,
        curves,
        encode,
        validation=validation,
        suffix=suffix,
        compression=compression,
    )
    (fold / "config.toml").write_text("[context_features]\npath = 'gone.parquet'\n")
    if encode is older:
        curves = {n: {**c, "mjd": c["mjd"].astype(np.float32)} for n, c in curves.items()}
    summary, found = survey.convert(fold, "--folds", "1")
    survey.check(found, curves)
    assert summary["notes"] == []
    config = (tmp_path / "fold-out" / "fold_0" / "config.toml").read_text()
    features = ["Label"] if encode is older else ["Class", "Band", "Label", "Period", "shard"]
    names = ", ".join(f'"{name}"' for name in ("newID", "ID", *features))
    assert f"value = [{names}]" in config
    output = tmp_path / "three"
    main(["--data", str(fold), "--output", str(output), "--folds", "3", "--test-frac", "0.4"])
    tests = [
        name.split("/")[0]
        for number in range(3)
        for name in make.read_all([output / f"fold_{number}" / "test" / "0.record"])
    ]
    assert sorted(tests) == list(curves)


def test_context_features_are_kept(tmp_path, survey, make):
    curves = survey.values()
    fold = write_fold(
        tmp_path / "fold",
        make,
        curves,
        canonical,
        validation="val",
        suffix="record",
        compression="",
    )
    main(["--data", str(fold), "--output", str(tmp_path / "out")])
    records = make.read_all((tmp_path / "out" / "fold_0").rglob("*.record"))
    context = records[f"{survey.names[2]}/R"].context.feature
    assert context["Period"].float_list.value[:] == [0.5]
    assert context["shard"].int64_list.value[:] == [3]
    assert context["Class"].bytes_list.value[:] == [b"RRL"]


def test_a_damaged_record_and_mixed_types_are_refused(tmp_path, survey, make):
    settings = {"validation": "val", "suffix": "record", "compression": ""}
    curves = survey.values()
    fold = write_fold(tmp_path / "fold", make, curves, canonical, **settings)
    path = fold / "test" / "part_0.record"
    path.write_bytes(path.read_bytes()[:-3])
    command = ["--data", str(fold), "--output", str(tmp_path / "out")]
    with pytest.raises(RecordError, match=r"record 1 .*part_0.record.* is cut off"):
        main(command)
    make.records(path, [encode_light_curve(curves[survey.names[0]], {"ID": "x", "Period": "1"})])
    with pytest.raises(DataAnomalyError, match="Period is of several types"):
        main(command)
    assert not list((tmp_path / "out").iterdir())
