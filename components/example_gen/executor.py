"""Reads fold records and writes them as the shards of an Examples artifact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2
from tfx import types
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from astromer.records.config import MissingErrorsConfig
from astromer.records.fold import Fold
from astromer.records.survey_config import read_processing
from astromer.system.config import to_dict
from astromer.system.storage import as_path
from components.example_gen.ingest import Ingested, ingest
from components.in_process import InProcess
from components.provenance import settings_fingerprint

DEBUG = "debug"
MAX_CURVES = "max_curves_per_split"
CODE = "code_fingerprint"
MISSING_ERRORS, ERROR_FILL = "missing_errors", "error_fill"
"""As in ``MissingErrorsConfig``; custom properties of the Examples, too."""

PROCESSING = "processing"
"""Custom property of the Examples: what was done to the values of the survey, as JSON."""

SOURCES_FILE = "sources.json"
"""In the artifact's folder: by split, the record files and how many records each gave."""

FOLD = "fold"
DATA_FINGERPRINT = "data_fingerprint"
NUM_CURVES = "num_curves"
NUM_OBSERVATIONS = "num_observations"
"""Custom properties of the Examples artifact; the last two are ``<name>_<split>``.

The data fingerprint tells the content: a copied or touched file keeps it, a changed, added,
removed or reordered light curve does not.
"""


class Executor(InProcess):
    """Plain sequential ingestion: Beam would shuffle the curves, and costs more than it saves.

    It is a Beam executor in name because TFX asks that of every file-based ExampleGen.
    """

    can_use_beam = False

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Ingests every split.

        Raises:
            DataNotFoundError: a split has no record files or no records.
            RecordError: a file is corrupt or a record in it is no light curve at all.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        fold = Fold.open(exec_properties[standard_component_specs.INPUT_BASE_KEY])
        settings = _settings(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        limit = int(settings[MAX_CURVES]) if exec_properties[DEBUG] else 0
        errors = MissingErrorsConfig(settings[MISSING_ERRORS], settings[ERROR_FILL])

        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        examples.split_names = artifact_utils.encode_split_names(list(fold.files))
        ingested = {}
        for split, files in fold.files.items():
            folder = as_path(artifact_utils.get_split_uri([examples], split))
            ingested[split] = ingest(files, folder, limit or None, errors=errors)
        _describe(examples, str(fold.path), ingested)
        examples.set_string_custom_property(MISSING_ERRORS, errors.missing_errors)
        if errors.missing_errors != "refuse":
            examples.set_float_custom_property(ERROR_FILL, errors.error_fill)
        processing = read_processing(fold.config_path)
        if errors.missing_errors != "refuse":
            processing |= to_dict(errors)
        examples.set_string_custom_property(PROCESSING, json.dumps(processing, default=str))
        sources = {split: done.sources for split, done in ingested.items()}
        (as_path(examples.uri) / SOURCES_FILE).write_text(json.dumps(sources))


def _describe(examples: types.Artifact, fold: str, ingested: Mapping[str, Ingested]) -> None:
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    examples.set_string_custom_property(FOLD, fold)
    examples.set_string_custom_property(
        DATA_FINGERPRINT,
        settings_fingerprint({split: done.fingerprint for split, done in ingested.items()}),
    )
    for split, done in ingested.items():
        examples.set_int_custom_property(f"{NUM_CURVES}_{split}", done.curves)
        examples.set_int_custom_property(f"{NUM_OBSERVATIONS}_{split}", done.observations)


def _settings(custom_config: str) -> struct_pb2.Struct:
    message = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(custom_config, message)
    settings = struct_pb2.Struct()
    message.custom_config.Unpack(settings)
    return settings
