"""The validation as a Beam pipeline: files are checked, equal digests come together."""

from __future__ import annotations

import dataclasses
import io
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from astromer.records.config import LightCurveRules
from astromer.records.fold import SPLITS
from astromer.system.errors import RecordError
from astromer.system.text import brief
from astromer.validation.config import ValidationConfig
from astromer.validation.duplicates import (
    DIGESTS,
    Identities,
    Match,
    find_matches,
    split_into_buckets,
)
from astromer.validation.fold_check import FileCheck, check_file

_BUCKETS = 16
"""Parts into which the search for equal digests is divided."""
_CHECKS, _MATCHES = "checks", "matches"

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
        files: record files by split; each is checked by one worker.
        config, limits: the rules.
        folder: takes what :func:`read_results` reads; all workers must reach it.
    """
    places = [
        (number, index, str(file))
        for number, split in enumerate(SPLITS)
        for index, file in enumerate(files[split])
    ]
    checks = (
        pipeline
        | "Files" >> beam.Create(places)
        | "ByFile" >> beam.Map(_with_key)
        | "Spread" >> beam.GroupByKey()
        | "Places" >> beam.FlatMap(_values)
        | "CheckFile" >> beam.Map(partial(_check_file, config=config, limits=limits))
    )
    _ = checks | "WriteChecks" >> beam.Map(partial(_write_check, folder=str(folder)))
    _ = (
        checks
        | "Identities" >> beam.FlatMap(_in_buckets)
        | "Equal" >> beam.GroupByKey()
        | "Match" >> beam.Map(partial(_matches, config=config))
        | "WriteMatches" >> beam.Map(partial(_write_matches, folder=str(folder)))
    )


def read_results(folder: Path) -> tuple[list[FileCheck], list[Match]]:
    """What the pipeline found: the result for each file, and the matches between them."""
    checks = [load_results(file) for file in sorted(folder.glob(f"{_CHECKS}-*"))]
    parts = [load_results(file) for file in sorted(folder.glob(f"{_MATCHES}-*"))]
    return checks, [match for part in parts for match in part]


def _with_key(place: _Place) -> tuple[tuple[int, int], _Place]:
    return place[:2], place


def _values(grouped: tuple[tuple[int, int], Iterable[_Place]]) -> Iterable[_Place]:
    return list(grouped[1])


def _check_file(place: _Place, config: ValidationConfig, limits: LightCurveRules) -> FileCheck:
    split, index, file = place
    return check_file(file, split, index, config, limits)


def _write_check(check: FileCheck, folder: str) -> None:
    """Named by the checked file: a worker that repeats the check overwrites the result."""
    found = dataclasses.replace(check, identities=Identities.none())
    _write(f"{folder}/{_CHECKS}-{check.split}-{check.file}", found)


def _in_buckets(check: FileCheck) -> Iterator[tuple[_Key, Identities]]:
    for digest in DIGESTS:
        for number, identities in split_into_buckets(check.identities, digest, _BUCKETS):
            yield (digest, number), identities


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


_KNOWN = {
    ("astromer.light_curves", "LightCurve"),
    ("astromer.validation.duplicates", "Match"),
    ("astromer.validation.duplicates", "Location"),
    ("astromer.validation.duplicates", "Identities"),
    ("astromer.validation.fold_check", "Violation"),
    ("astromer.validation.fold_check", "FileCheck"),
    ("astromer.validation.profile", "SplitProfile"),
    ("collections", "Counter"),
    *(("numpy", name) for name in ("dtype", "ndarray")),
    *(
        (f"numpy.{core}.multiarray", name)
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}


def dumped(content: object) -> bytes:
    """Results as bytes."""
    return pickle.dumps(content)


def load_results(file: Path) -> Any:
    """What :func:`dumped` made.

    Raises:
        RecordError: the file is damaged, or holds something else.
    """
    try:
        return _Results(io.BytesIO(file.read_bytes())).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, ValueError) as error:
        raise RecordError(
            f"{file} must hold what a worker of the validation has found. Received: "
            f"{brief(error)}. Run the validation again."
        ) from None


class _Results(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"a pickle that names {module}.{name}")
        return super().find_class(module, name)
