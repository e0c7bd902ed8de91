"""Runs the validation, refuses hopeless data and writes the accepted light curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils

from astromer.records.config import LightCurveRules
from astromer.system.errors import DataAnomalyError
from astromer.system.storage import as_path, copy_file, remove_tree
from astromer.system.terminal import progress_bar
from astromer.validation.config import ValidationConfig
from astromer.validation.duplicates import Match
from astromer.validation.findings import Validation
from astromer.validation.fold_check import FileCheck, RecordSources, check_files, combine_checks
from astromer.validation.output import terminal_table, write_validation, write_validation_files
from astromer.validation.profile import write_profiles
from components import split_files
from components.beam import InProcess
from components.provenance import (
    DATA_FINGERPRINT,
    NUM_CURVES,
    NUM_OBSERVATIONS,
    SOURCES_FILE,
    settings_fingerprint,
)
from components.validator.beam_pipeline import add_validation, read_results

NUM_REJECTED = "num_rejected"
"""Custom properties ``num_rejected_<split>`` of the accepted Examples."""


class Executor(InProcess):
    """Validates, then copies what is accepted."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Raises:
            DataNotFoundError: a split holds no light curves.
            RecordError: a file is corrupt or a record is no light curve at all.
            DataAnomalyError: the data should not be trained on; the findings are in the
                folder ``report``.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = json.loads(exec_properties["settings"])
        config = ValidationConfig(**settings["validation"])
        limits = LightCurveRules(**settings["rules"])
        [examples] = input_dict["examples"]
        [accepted] = output_dict["valid_examples"]
        [anomalies] = output_dict["anomalies"]

        files = {split: split_files(examples, split) for split in _splits(examples)}
        if self.in_process:
            with progress_bar(total=_curves(examples), desc="validating", unit="curves") as bar:
                checks, matches = check_files(files, config, limits, bar.update)
        else:
            checks, matches = self._check_with_beam(
                files, config, limits, as_path(anomalies.uri) / "unfinished"
            )
        validation = combine_checks(files, checks, matches, config, limits, _sources(examples))

        report = as_path(exec_properties["report"])
        try:
            validation.require_usable(report, terminal_table(validation))
        except DataAnomalyError:
            write_validation(validation, report)
            raise
        write_validation_files(validation, as_path(anomalies.uri))
        write_profiles(validation.profiles, as_path(accepted.uri))
        _describe(accepted, examples, validation)
        for split, paths in files.items():
            folder = as_path(artifact_utils.get_split_uri([accepted], split))
            copy_accepted(paths, folder, set(validation.rejected[split].tolist()))

    def _check_with_beam(
        self,
        files: dict[str, list[Path]],
        config: ValidationConfig,
        limits: LightCurveRules,
        workspace: Path,
    ) -> tuple[list[FileCheck], list[Match]]:
        """Checks the files on many workers.

        Args:
            files: record files by split.
            config, limits: the rules.
            workspace: a folder that all workers reach; removed afterwards.
        """
        workspace.mkdir(parents=True)
        with self._make_beam_pipeline() as pipeline:
            add_validation(pipeline, files, config, limits, workspace)
        checks, matches = read_results(workspace)
        remove_tree(workspace)
        expected = sum(map(len, files.values()))
        if len(checks) != expected:
            raise RuntimeError(
                f"Beam must check every file. Received: results for {len(checks)} of {expected} "
                "files, from a runner that reported success. Choose another runner, or none."
            )
        return checks, matches


def _splits(examples: types.Artifact) -> list[str]:
    return artifact_utils.decode_split_names(examples.split_names)


def _curves(examples: types.Artifact) -> int | None:
    """How many light curves there are, if ExampleGen has counted them."""
    counts = [examples.get_int_custom_property(f"{NUM_CURVES}_{s}") for s in _splits(examples)]
    return sum(counts) or None


def _sources(examples: types.Artifact) -> RecordSources | None:
    file = as_path(examples.uri) / SOURCES_FILE
    return json.loads(file.read_text()) if file.is_file() else None


def _describe(accepted: types.Artifact, examples: types.Artifact, validation: Validation) -> None:
    """Carries the properties over; those that tell the content are made anew."""
    accepted.split_names = examples.split_names
    for name, value in examples.mlmd_artifact.custom_properties.items():
        accepted.mlmd_artifact.custom_properties[name].CopyFrom(value)
    rejected = {split: positions.tolist() for split, positions in validation.rejected.items()}
    if validation.num_rejected:
        before = examples.get_string_custom_property(DATA_FINGERPRINT)
        accepted.set_string_custom_property(
            DATA_FINGERPRINT, settings_fingerprint({"data": before, "rejected": rejected})
        )
    for split in rejected:
        accepted.set_int_custom_property(f"{NUM_CURVES}_{split}", validation.accepted(split))
        observations = validation.profiles[split].observations
        accepted.set_int_custom_property(f"{NUM_OBSERVATIONS}_{split}", observations)
        accepted.set_int_custom_property(f"{NUM_REJECTED}_{split}", len(rejected[split]))


_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


def copy_accepted(files: Sequence[Path], folder: Path, rejected: set[int]) -> None:
    """Copies record files, keeping names and order; a file that loses nothing stays as it is.

    Args:
        files: gzip-compressed TFRecord files.
        folder: made if missing.
        rejected: positions, counted over all files, of records to leave out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    position = 0
    for file in files:
        if not rejected:
            copy_file(file, folder / file.name)
            continue
        records = tf.data.TFRecordDataset(str(file), "GZIP")
        count = int(records.reduce(0, lambda total, _: total + 1))
        positions = range(position, position + count)
        position += count
        if rejected.isdisjoint(positions):
            copy_file(file, folder / file.name)
            continue
        with tf.io.TFRecordWriter(str(folder / file.name), _OPTIONS) as writer:
            for number, record in zip(positions, records.as_numpy_iterator(), strict=True):
                if number not in rejected:
                    writer.write(record)
