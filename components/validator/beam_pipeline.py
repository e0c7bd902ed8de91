"""The validation as a Beam pipeline: files are looked at, equal digests come together."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import apache_beam as beam
import tensorflow as tf

from astromer.records.fold import SPLITS
from astromer.validation.duplicates import KINDS, Match, buckets, find_matches
from astromer.validation.identity import Identities
from astromer.validation.look import FileLook, look_at
from pipeline_config import LightCurveRules, ValidationConfig

_BUCKETS = 16
"""Parts into which the search for equal digests is divided."""
_LOOKS, _MATCHES = "looks", "matches"

_Key = tuple[str, int]


def add_validation(
    pipeline: beam.Pipeline,
    files: Mapping[str, Sequence[Path]],
    config: ValidationConfig,
    limits: LightCurveRules,
    folder: Path,
) -> None:
    """Adds the validation to a pipeline.

    Args:
        pipeline: to be run by the caller.
        files: record files by split; each is looked at by one worker.
        config, limits: the rules.
        folder: takes what :func:`read_results` reads; all workers must reach it.
    """
    places = [
        (number, index, str(file))
        for number, split in enumerate(SPLITS)
        for index, file in enumerate(files[split])
    ]
    looks = (
        pipeline
        | "Files" >> beam.Create(places)
        | "Spread" >> beam.Reshuffle()
        | "LookAt" >> beam.Map(partial(_look_at, config=config, limits=limits))
    )
    _ = (
        looks
        | "WithoutIdentities" >> beam.Map(_pickled_look)
        | "WriteLooks" >> beam.io.WriteToTFRecord(str(folder / _LOOKS))
    )
    _ = (
        looks
        | "Identities" >> beam.FlatMap(_in_buckets)
        | "Equal" >> beam.GroupByKey()
        | "Match" >> beam.FlatMap(partial(_matches, config=config))
        | "PickleMatches" >> beam.Map(pickle.dumps)
        | "WriteMatches" >> beam.io.WriteToTFRecord(str(folder / _MATCHES))
    )


def read_results(folder: Path) -> tuple[list[FileLook], list[Match]]:
    """What the pipeline found: a look for each file, and the matches between them."""
    return list(_unpickled(folder, _LOOKS)), list(_unpickled(folder, _MATCHES))


def _look_at(
    place: tuple[int, int, str], config: ValidationConfig, limits: LightCurveRules
) -> FileLook:
    split, index, file = place
    return look_at(file, split, index, config, limits)


def _pickled_look(look: FileLook) -> bytes:
    return pickle.dumps(dataclasses.replace(look, identities=Identities.none()))


def _in_buckets(look: FileLook) -> Iterator[tuple[_Key, Identities]]:
    for kind in KINDS:
        for number, identities in buckets(look.identities, kind, _BUCKETS):
            yield (kind, number), identities


def _matches(
    grouped: tuple[_Key, Iterable[Identities]], config: ValidationConfig
) -> Iterable[Match]:
    (kind, _), parts = grouped
    return find_matches(Identities.concatenate(list(parts)), kind, config)


def _unpickled(folder: Path, name: str) -> Iterator:
    files = sorted(str(path) for path in folder.glob(f"{name}-*"))
    for serialized in tf.data.TFRecordDataset(files).as_numpy_iterator():
        yield pickle.loads(serialized)
