"""The validation as a Beam pipeline: files are looked at, equal digests come together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from astromer.records.config import LightCurveRules
from astromer.records.fold import SPLITS
from astromer.validation.config import ValidationConfig
from astromer.validation.duplicates import KINDS, Match, buckets, find_matches
from astromer.validation.file_check import FileLook, look_at
from astromer.validation.identity import Identities
from components.validator.results_file import dumped, load_results

_BUCKETS = 16
"""Parts into which the search for equal digests is divided."""
_LOOKS, _MATCHES = "looks", "matches"

_Key = tuple[str, int]
_Place = tuple[int, int, str]


def add_validation(
    pipeline: beam.Pipeline,
    files: Mapping[str, Sequence[Path]],
    config: ValidationConfig,
    limits: LightCurveRules,
    folder: Path,
) -> None:
    """Adds the validation to a pipeline.

    It is made of Create, Map, FlatMap and GroupByKey alone: Beam's own sinks and its Reshuffle
    need windows and timestamps, which small runners such as that on PySpark do not have.

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
        | "ByFile" >> beam.Map(_with_key)
        | "Spread" >> beam.GroupByKey()
        | "Places" >> beam.FlatMap(_values)
        | "LookAt" >> beam.Map(partial(_look_at, config=config, limits=limits))
    )
    _ = looks | "WriteLooks" >> beam.Map(partial(_write_look, folder=str(folder)))
    _ = (
        looks
        | "Identities" >> beam.FlatMap(_in_buckets)
        | "Equal" >> beam.GroupByKey()
        | "Match" >> beam.Map(partial(_matches, config=config))
        | "WriteMatches" >> beam.Map(partial(_write_matches, folder=str(folder)))
    )


def read_results(folder: Path) -> tuple[list[FileLook], list[Match]]:
    """What the pipeline found: a look for each file, and the matches between them."""
    looks = [load_results(file) for file in sorted(folder.glob(f"{_LOOKS}-*"))]
    parts = [load_results(file) for file in sorted(folder.glob(f"{_MATCHES}-*"))]
    return looks, [match for part in parts for match in part]


def _with_key(place: _Place) -> tuple[tuple[int, int], _Place]:
    return place[:2], place


def _values(grouped: tuple[tuple[int, int], Iterable[_Place]]) -> Iterable[_Place]:
    return list(grouped[1])


def _look_at(place: _Place, config: ValidationConfig, limits: LightCurveRules) -> FileLook:
    split, index, file = place
    return look_at(file, split, index, config, limits)


def _write_look(look: FileLook, folder: str) -> None:
    """Named by what was looked at: a worker that does it again writes the same file again."""
    found = dataclasses.replace(look, identities=Identities.none())
    _write(f"{folder}/{_LOOKS}-{look.split}-{look.file}", found)


def _in_buckets(look: FileLook) -> Iterator[tuple[_Key, Identities]]:
    for kind in KINDS:
        for number, identities in buckets(look.identities, kind, _BUCKETS):
            yield (kind, number), identities


def _matches(
    grouped: tuple[_Key, Iterable[Identities]], config: ValidationConfig
) -> tuple[_Key, list[Match]]:
    key, parts = grouped
    return key, find_matches(Identities.concatenate(list(parts)), key[0], config)


def _write_matches(found: tuple[_Key, list[Match]], folder: str) -> None:
    (kind, bucket), matches = found
    if matches:
        _write(f"{folder}/{_MATCHES}-{kind}-{bucket}", matches)


def _write(path: str, content: object) -> None:
    with FileSystems.create(path) as file:
        file.write(dumped(content))
