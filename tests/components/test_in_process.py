"""Beam is left out where it would only run in this process."""

from __future__ import annotations

import os

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from tfx.dsl.components.base import base_beam_executor
from tfx.utils import dependency_utils

from components.example_gen.executor import Executor as ExampleGenExecutor
from components.in_process import runs_in_process
from components.provenance import ROOT
from components.statistics.executor import Executor as StatisticsExecutor
from components.validator.executor import Executor as ValidatorExecutor
from pipeline_config import PipelineConfig


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), True),
        (PipelineConfig.beam_args, True),
        (("--runner=DirectRunner",), True),
        (("--direct_num_workers=2",), False),
        (("--direct_num_workers=0",), False),  # as many as there are processors
        (("--direct_running_mode=multi_processing",), False),
        (("--runner=DataflowRunner", "--project=p"), False),
        (("--runner=FlinkRunner", "--direct_num_workers=1"), False),
        (("--runner=DirectRunner", "--runner=DataflowRunner"), False),  # the last one counts
    ],
)
def test_where_beam_would_run(arguments, expected):
    assert runs_in_process(arguments) is expected


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often TFX's source is packed, which takes a second or two."""
    calls: list[int] = []

    def pack() -> str:
        calls.append(1)
        return "tfx.tar.gz"

    monkeypatch.setattr(dependency_utils, "build_ephemeral_package", pack)
    return calls


def context(*arguments: str, **settings):
    return base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(arguments), **settings
    )


@pytest.mark.parametrize("executor", [ExampleGenExecutor, StatisticsExecutor, ValidatorExecutor])
def test_no_source_is_packed_for_this_process(executor, packed):
    given = context(*PipelineConfig.beam_args)
    assert executor(given).in_process
    assert packed == []
    assert tuple(given.beam_pipeline_args) == PipelineConfig.beam_args


@pytest.mark.parametrize(
    "runner", ["FlinkRunner", "DataflowRunner", "DirectRunner --direct_num_workers=2"]
)
def test_workers_elsewhere_get_their_arguments_and_no_source_to_install(runner, packed):
    arguments = f"--runner={runner}".split()
    executor = StatisticsExecutor(context(*arguments))
    assert not executor.in_process
    assert packed == []
    assert executor._beam_pipeline_args[: len(arguments)] == arguments
    labels = PipelineOptions(executor._beam_pipeline_args).view_as(GoogleCloudOptions).labels
    assert any(label.startswith("tfx_executor=") for label in labels)


def test_a_given_pipeline_is_used():
    made = beam.Pipeline(runner="BundleBasedDirectRunner")
    executor = StatisticsExecutor(context(make_beam_pipeline_fn=lambda: made))
    assert not executor.in_process
    assert executor._make_beam_pipeline() is made


def test_processes_on_this_machine_can_import_the_package(packed, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    for _ in range(2):
        StatisticsExecutor(context("--runner=FlinkRunner"))
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "elsewhere"]
