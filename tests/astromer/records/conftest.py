"""Small record files and raw surveys."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from astromer.records.encoding import encode_light_curve


def series(length: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "mjd": np.sort(rng.uniform(59000, 59300, length)),
        "mag": rng.normal(15, 1, length).astype(np.float32),
        "errmag": rng.uniform(0.01, 0.1, length).astype(np.float32),
    }


def record(length: int = 10, seed: int = 0, **context) -> bytes:
    context = {"ID": f"star-{seed}", "Label": 1, "Class": "RRL", **context}
    return encode_light_curve(series(length, seed), context)


def sequence_example(lists: dict[str, list[float]], **context: str) -> tf.train.SequenceExample:
    """A record as TensorFlow itself builds it."""
    example = tf.train.SequenceExample()
    for name, text in context.items():
        example.context.feature[name].bytes_list.value.append(text.encode())
    for name, values in lists.items():
        example.feature_lists.feature_list[name].feature.add().float_list.value.extend(values)
    return example


def write_records(path: Path, records: list[bytes], compression: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for serialized in records:
            writer.write(serialized)
    return path


def write_fold(folder: Path, splits: tuple[str, ...] = ("train", "validation", "test")) -> Path:
    for number, split in enumerate(splits):
        records = [record(10 + i, seed=10 * number + i) for i in range(3)]
        write_records(folder / split / "0.record", records)
    return folder


def write_survey(
    folder: Path,
    curves: list[dict],
    *,
    curves_per_shard: int = 8,
    metadata: dict[str, list] | None = None,
    shuffle: bool = False,
) -> Path:
    """A raw survey; each curve is a dict with mjd, mag, errmag and optionally its metadata."""
    (folder / "light_curves").mkdir(parents=True)
    count = len(curves)
    columns = {
        "newID": list(range(count)),
        "ID": [c.get("ID", f"star-{i}") for i, c in enumerate(curves)],
        "Class": [c.get("Class", "AB"[i % 2]) for i, c in enumerate(curves)],
        "Band": [c.get("Band", "V") for c in curves],
        "Label": [i % 2 for i in range(count)],
        "shard": [i // curves_per_shard for i in range(count)],
        **(metadata or {}),
    }
    pq.write_table(pa.table(columns), folder / "metadata.parquet")
    for start in range(0, count, curves_per_shard):
        part = range(start, min(start + curves_per_shard, count))
        table = pa.table(
            {
                "newID": np.concatenate([np.full(len(curves[i]["mjd"]), i) for i in part]),
                **{
                    name: np.concatenate([curves[i][name] for i in part])
                    for name in ("mjd", "mag", "errmag")
                },
            }
        )
        if shuffle:
            order = np.random.default_rng(start).permutation(table.num_rows)
            table = table.take(pa.array(order))
        name = f"shard_{start // curves_per_shard:03d}.parquet"
        pq.write_table(table, folder / "light_curves" / name, row_group_size=50)
    return folder


def read_all(files) -> dict[str, tf.train.SequenceExample]:
    """Every record of some files by its ID and Band, read with TensorFlow alone."""
    found = {}
    for file in files:
        for raw in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            example = tf.train.SequenceExample.FromString(raw)
            values = example.context.feature
            name = values["ID"].bytes_list.value[0].decode()
            if "Band" in values:
                name += "/" + values["Band"].bytes_list.value[0].decode()
            assert name not in found
            found[name] = example
    return found


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The functions above."""
    return SimpleNamespace(
        series=series,
        record=record,
        sequence_example=sequence_example,
        records=write_records,
        fold=write_fold,
        survey=write_survey,
        read_all=read_all,
    )
