"""ExampleGen for a folder of fold records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from google.protobuf import struct_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2

from components.example_gen.driver import ContentDriver
from components.example_gen.executor import CODE, MAX_CURVES, Executor
from components.in_process import CODE as IN_PROCESS
from components.provenance import code_fingerprint
from pipeline_config import MissingErrorsConfig, to_dict


class FoldExampleGen(FileBasedExampleGen):
    """Ingests the splits of a fold folder, in their order, as canonical records.

    Ingests again when the content of the record files or their order has changed, not when
    they were copied, touched or renamed.

    Args:
        fold: absolute path of the fold folder.
        files: record files of each split, absolute paths.
        max_curves_per_split: only the first so many light curves; 0 = all.
        errors: how missing errors are filled in.

    Outputs:
        examples: Examples in gzip-compressed TFRecords of SequenceExamples, with the custom
            properties that :mod:`components.example_gen.executor` names.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = ContentDriver

    def __init__(
        self,
        fold: str,
        files: Mapping[str, Sequence[str]],
        max_curves_per_split: int = 0,
        errors: MissingErrorsConfig = MissingErrorsConfig(),
    ):
        settings = struct_pb2.Struct()
        settings.update(
            {
                MAX_CURVES: max_curves_per_split,
                CODE: code_fingerprint(*_CODE),
                **to_dict(errors),
            }
        )
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(settings)
        super().__init__(
            input_base=fold,
            input_config=example_gen_pb2.Input(
                splits=[
                    example_gen_pb2.Input.Split(name=name, pattern=folder_pattern(paths))
                    for name, paths in files.items()
                ]
            ),
            # An empty output config means: the splits of the input, not to be divided again.
            output_config=example_gen_pb2.Output(),
            custom_config=custom_config,
            output_data_format=example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE,
        )


_CODE = ("astromer/records", "components/example_gen", IN_PROCESS)


def folder_pattern(paths: Sequence[str]) -> str:
    """A glob that matches everything in the folder of some files, and nothing else.

    It is absolute and escaped, because TFX joins it to the fold's path and globs the whole:
    a ``[`` or ``{SPAN}`` in a folder's name would otherwise be taken as a pattern.
    """
    folder = paths[0].rsplit("/", 1)[0]
    return re.sub(r"([*?\[{])", r"[\1]", folder) + "/*"
