"""ExampleGen for a folder of fold records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from google.protobuf import struct_pb2
from tfx import types
from tfx.components.example_gen import driver, utils
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs

from astromer.records.config import MissingErrorsConfig
from astromer.records.fold import Fold
from astromer.system.config import to_dict
from components.example_gen.executor import CODE, DEBUG, MAX_CURVES, Executor
from components.provenance import code_fingerprint


class ContentDriver(driver.FileBasedDriver):
    """Compares the content of the record files, where TFX compares sizes and times.

    A fold that was copied or touched is not ingested again; one in which a value changed is,
    whatever the clock and the sizes say. Costs a read of the files.
    """

    def resolve_exec_properties(
        self, exec_properties: dict[str, Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Puts the fingerprint of the content in the place of TFX's.

        Raises:
            DataNotFoundError, RecordError: as :meth:`astromer.records.fold.Fold.open`.
        """
        resolved = super().resolve_exec_properties(exec_properties, *args, **kwargs)
        fold = Fold.open(resolved[standard_component_specs.INPUT_BASE_KEY])
        resolved[utils.FINGERPRINT_PROPERTY_NAME] = fold.content_fingerprint()
        return resolved


class FoldExampleGenSpec(standard_component_specs.FileBasedExampleGenSpec):
    """That of TFX's file-based ExampleGen, with ``debug``."""

    PARAMETERS: ClassVar = {
        **standard_component_specs.FileBasedExampleGenSpec.PARAMETERS,
        DEBUG: component_spec.ExecutionParameter(type=int),
    }


class FoldExampleGen(FileBasedExampleGen):
    """Ingests the splits of a fold folder, in their order, as canonical records.

    Ingests again when the content of the record files or their order has changed, not when
    they were copied, touched or renamed.

    Args:
        fold: absolute path of the fold folder, or what stands for it until the run is started.
        files: record files of each split, absolute paths; none where the fold is not known yet.
        debug: 1 = only the first ``max_curves_per_split`` light curves, 0 = all; or what stands
            for it until the run is started.
        max_curves_per_split: that number.
        errors: how missing errors are filled in.

    Outputs:
        examples: Examples in gzip-compressed TFRecords of SequenceExamples, with the custom
            properties that :mod:`components.example_gen.executor` names.
    """

    SPEC_CLASS = FoldExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = ContentDriver

    def __init__(
        self,
        fold: Any,
        files: Mapping[str, Sequence[str]] = {},
        debug: Any = 0,
        max_curves_per_split: int = 0,
        errors: MissingErrorsConfig = MissingErrorsConfig(),
    ):
        patterns = {name: folder_pattern(paths) for name, paths in files.items()} or _PATTERNS
        settings = struct_pb2.Struct()
        settings.update(
            {
                MAX_CURVES: max_curves_per_split,
                CODE: code_fingerprint(Executor.__module__),
                **to_dict(errors),
            }
        )
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(settings)
        spec = FoldExampleGenSpec(
            input_base=fold,
            debug=debug,
            input_config=example_gen_pb2.Input(
                splits=[
                    example_gen_pb2.Input.Split(name=name, pattern=pattern)
                    for name, pattern in patterns.items()
                ]
            ),
            # An empty output config means: the splits of the input, not to be divided again.
            output_config=example_gen_pb2.Output(),
            custom_config=custom_config,
            output_data_format=example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE,
            output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
            examples=types.Channel(type=standard_artifacts.Examples),
        )
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)


_PATTERNS = {"train": "train/*", "validation": "val*/*", "test": "test/*"}
"""As :class:`astromer.records.fold.Fold` names the folders."""


def folder_pattern(paths: Sequence[str]) -> str:
    """A glob that matches everything in the folder of some files, and nothing else.

    It is absolute and escaped, because TFX joins it to the fold's path and globs the whole:
    a ``[`` or ``{SPAN}`` in a folder's name would otherwise be taken as a pattern.
    """
    folder = paths[0].rsplit("/", 1)[0]
    return re.sub(r"([*?\[{])", r"[\1]", folder) + "/*"
