"""Runs one step of a compiled pipeline: what every container of a cluster starts.

python -m pipeline.task_runner --executor_class_path CLASS --json_serialized_invocation_args JSON
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import worker_error
from astromer.system.logs import silence
from pipeline.beam_workers import tell_lost_workers
from pipeline.local.failures import cause
from pipeline.tfx_patches import postpone, quick_imports


def parse(arguments: list[str] | None = None) -> tuple[argparse.Namespace, list[str]]:
    """The options, whose names are TFX's, and the rest, which is for Beam."""
    parser = Parser(
        prog="python -m pipeline.task_runner",
        description="Runs one step of a compiled pipeline, in a container of a cluster.",
    )
    parser.add_argument("--executor_class_path", required=True, metavar="CLASS")
    parser.add_argument(
        "--json_serialized_invocation_args",
        required=True,
        metavar="JSON",
        help="an ExecutorInput: artifacts, parameters, and where the outputs go",
    )
    parser.add_argument(
        "--json_serialized_inputs_spec_args",
        required=True,
        metavar="JSON",
        help="a ComponentInputsSpec: the types of the parameters",
    )
    return parser.parse_known_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Runs the step.

    Raises:
        AstromerError: of the kind that fits, for everything that a user can correct. All else is
            raised as it is, for the log of the step.
    """
    args, beam_arguments = parse(arguments)
    silence()
    try:
        _run(args, beam_arguments)
    except Exception as error:
        known = worker_error(error) or cause(error)
        if known is None:
            raise
        raise known from error


def _run(args: argparse.Namespace, beam_arguments: list[str]) -> None:
    postpone("kfp")  # only its protocol buffers are needed
    with quick_imports():
        from google.protobuf import json_format
        from kfp.pipeline_spec import pipeline_spec_pb2
        from tfx.dsl.components.base import base_beam_executor, base_executor
        from tfx.dsl.io import fileio
        from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as entry
        from tfx.orchestration.portable import outputs_utils
        from tfx.utils import import_utils

        executor_class = import_utils.import_class_by_path(args.executor_class_path)

    given = pipeline_spec_pb2.ExecutorInput()
    json_format.Parse(args.json_serialized_invocation_args, given, ignore_unknown_fields=True)
    types = pipeline_spec_pb2.ComponentInputsSpec()
    json_format.Parse(args.json_serialized_inputs_spec_args, types, ignore_unknown_fields=True)
    place = given.outputs.output_file
    parameters = given.inputs.parameter_values
    if fileio.exists(place):  # written by a driver, which has changed some parameters
        changed = pipeline_spec_pb2.ExecutorOutput()
        with fileio.open(place, "r") as file:
            json_format.Parse(file.read(), changed, ignore_unknown_fields=True)
        for name, value in changed.parameter_values.items():
            parameters[name].CopyFrom(value)

    names: dict[int, str] = {}
    inputs = entry.parse_raw_artifact_dict(given.inputs.artifacts, names)
    outputs = entry.parse_raw_artifact_dict(given.outputs.artifacts, names)
    exec_properties = entry.parse_execution_properties(parameters, {}, types)
    common = {
        "unique_id": os.path.basename(os.path.dirname(place)),
        "tmp_dir": os.path.join(os.path.dirname(place), ".temp"),
    }
    if issubclass(executor_class, base_beam_executor.BaseBeamExecutor):
        context: Any = executor_class.Context(beam_pipeline_args=beam_arguments, **common)
    else:
        context = base_executor.BaseExecutor.Context(extra_flags=beam_arguments, **common)
    outputs_utils.make_output_dirs(outputs)  # as on one machine
    tell_lost_workers()
    executor_class(context).Do(inputs, outputs, exec_properties)

    outputs_utils.tag_output_artifacts_with_version(outputs)
    _name_models(outputs, names)
    done = pipeline_spec_pb2.ExecutorOutput()
    for key, artifacts in entry.translate_executor_output(outputs, names).items():
        done.artifacts[key].CopyFrom(artifacts)
    fileio.makedirs(os.path.dirname(place))
    with fileio.open(place, "w") as file:
        file.write(json_format.MessageToJson(done))


def _name_models(outputs: Mapping[str, list[Any]], names: Mapping[int, str]) -> None:
    """In blessings, puts the names that models have in the cluster's store for TFX's numbers.

    The resolver looks for a model of that name. TFX does this for its own Evaluator alone.
    """
    from tfx.components.evaluator import constants
    from tfx.types import standard_artifacts

    for artifact in (one for several in outputs.values() for one in several):
        if not isinstance(artifact, standard_artifacts.ModelBlessing):
            continue
        for key in (
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY,
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY,
        ):
            if name := names.get(artifact.get_int_custom_property(key)):
                artifact.set_string_custom_property(key, name)


if __name__ == "__main__":
    run_program(main)
