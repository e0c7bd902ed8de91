"""Small folds for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurve
from astromer.records.encoding import ContextValue, encode_light_curve
from astromer.records.writer import DEFAULT_ELEMENTS_PER_SHARD, FoldWriter, write_folders

SIZES = {"train": 24, "validation": 12, "test": 12}


def make_curves(count: int, seed: int = 0, mean: float = 15.0) -> list[LightCurve]:
    """Noisy sine waves with 12 to 40 observations."""
    rng = np.random.default_rng(seed)
    curves = []
    for number in range(count):
        size = int(rng.integers(12, 41))
        mjd = np.sort(rng.uniform(52000, 52400, size))
        mag = mean + rng.normal(0, 1) + 0.4 * np.sin(2 * np.pi * mjd / rng.uniform(2, 60))
        errmag = rng.uniform(0.01, 0.1, size)
        curves.append(
            LightCurve(
                mjd,
                (mag + rng.normal(0, errmag)).astype(np.float32),
                errmag.astype(np.float32),
                id=f"star{seed}-{number}",
                label=number % 2,
                class_name="AB"[number % 2],
            )
        )
    return curves


def encode(curve: LightCurve, **context: str | int | float) -> bytes:
    """A record of the canonical layout."""
    series = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
    named = {"ID": curve.id, "Label": curve.label, "Class": curve.class_name}
    return encode_light_curve(series, {**named, **context})


def older(curve: LightCurve) -> bytes:
    """A record of the older layout: other names, one Feature for each observation."""
    record = tf.train.SequenceExample()
    record.context.feature["id"].bytes_list.value.append(curve.id.encode())
    record.context.feature["label"].int64_list.value.append(curve.label)
    record.context.feature["length"].int64_list.value.append(len(curve))
    for name, values in zip(("dim_0", "dim_1", "dim_2"), (curve.mjd, curve.mag, curve.errmag)):
        for value in values:
            feature = record.feature_lists.feature_list[name].feature.add()
            feature.float_list.value.append(float(value))
    return record.SerializeToString()


def write_records(file: Path, records: list[bytes], compression: str = "") -> Path:
    """Writes a TFRecord file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file), compression) as writer:
        for record in records:
            writer.write(record)
    return file


def write_fold(folder: Path, **splits: list[LightCurve]) -> Path:
    """Writes a fold; splits that are not given are made up."""
    for seed, (split, size) in enumerate(SIZES.items()):
        curves = splits.get(split) or make_curves(size, seed)
        write_records(folder / split / "0.record", [encode(curve) for curve in curves])
    return folder


def write_with_writer(
    folder: Path,
    splits: Mapping[str, Iterable[tuple[LightCurve, Mapping[str, ContextValue]]]],
    config_toml: str,
    *,
    elements_per_shard: int = DEFAULT_ELEMENTS_PER_SHARD,
    overwrite: bool = False,
) -> dict[str, int]:
    """Writes a fold as the programs do: the number of light curves of each split."""
    with (
        write_folders([folder], overwrite=overwrite) as (unfinished,),
        FoldWriter(unfinished, config_toml, elements_per_shard) as writer,
    ):
        for split, curves in splits.items():
            for curve, context in curves:
                series = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
                writer.write(split, encode_light_curve(series, context))
    return writer.counts
