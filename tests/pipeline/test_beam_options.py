"""--beam is checked before anything is loaded, and reaches every component that uses Beam."""

from __future__ import annotations

import re

import pytest

from astromer.commands.cli import joined
from astromer.system.errors import DataNotFoundError, UsageError
from pipeline import finetune_runner, local_runner
from pipeline.beam_options import FLAG, RUNNERS, read_beam_options
from pipeline_config import PipelineConfig

DATAFLOW = "--runner=DataflowRunner --project=p --region=r --temp_location=gs://b/tmp"
IMAGE = "--sdk_container_image=i"
DOCKER = "--environment_type=DOCKER --environment_config=i"
PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"


@pytest.mark.parametrize(
    "value",
    [
        PROCESSES,
        "--direct_running_mode multi_processing --direct_num_workers 0",
        "--runner=direct",
        f"{DATAFLOW} {IMAGE}",
        f"{DATAFLOW.replace('=', ' ')} --setup_file ./setup.py",
        f"--runner=FlinkRunner --flink_master=host:8081 {DOCKER}",
        "--runner=flink --job_endpoint=host:8099 --environment_type=LOOPBACK",
        f"--runner=SparkRunner --spark_master_url=spark://host:7077 {DOCKER}",
        f"--runner=PortableRunner --job_endpoint=host:8099 {DOCKER}",
        "--runner=beam_pyspark_runner.pyspark_runner.PySparkRunner",
        "--experiments=a --experiments=b",
    ],
)
def test_what_can_work_is_taken_as_it_is(value):
    assert " ".join(read_beam_options([value]).everywhere) == value


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["--runner=Foo"], "one of DirectRunner, .*Dataflow.*Flink.*Received: Foo"),
        (["--runner="], "Received: nothing"),
        (["--runner=DaskRunner"], "empty files"),
        (["--runner=dask"], "empty files"),
        (["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"], "empty files"),
        (["--runner=DataflowRunner"], "--project, --region, --temp_location"),
        ([DATAFLOW.replace("--region=r", "--region="), IMAGE], "needs --region"),
        ([DATAFLOW], "--sdk_container_image"),
        ([DATAFLOW.replace("gs://b", ""), IMAGE], "gs://"),
        (["--runner=FlinkRunner"], "--flink_master or --job_endpoint"),
        (["--runner=SparkRunner"], "--spark_master_url or --job_endpoint"),
        (["--runner=PortableRunner"], "needs --job_endpoint"),
        (["--runner=FlinkRunner --flink_master=host:8081"], "--environment_config=IMAGE"),
        # Which Flink's workers would not heed.
        ([f"--runner=FlinkRunner --flink_master=host:8081 {IMAGE}"], "--environment_config=IMAGE"),
        (["--direct_running_mode=fast"], "in_memory, multi_threading, multi_processing"),
        (["--direct_num_workers=two"], "must be a number"),
        (["--direct_num_workers=2"], "--direct_running_mode=multi_processing"),
        (["DirectRunner"], "must be options"),
        ([""], "must be options"),
        (["--runner='Direct"], "as in a shell"),
        (["--project=p x"], "belongs to no option: x"),
        (["Trainer: --runner=DirectRunner"], "LightCurveValidator or StatisticsGen.*: Trainer"),
        (["StatisticsGen:"], "must be options"),
        # The last runner counts, wherever it is said.
        ([f"{DATAFLOW} {IMAGE}", "--runner=FlinkRunner"], "--flink_master"),
        ([f"{DATAFLOW} {IMAGE}", "StatisticsGen: --runner=FlinkRunner"], "for StatisticsGen"),
    ],
)
def test_what_cannot_work_is_refused(values, said):
    with pytest.raises(UsageError, match=said) as caught:
        read_beam_options(values)
    assert "\n" not in str(caught.value)


def test_options_of_one_component_come_besides_those_of_all():
    found = read_beam_options(
        [DATAFLOW, IMAGE, "StatisticsGen: --runner=direct", "StatisticsGen:--x"]
    )
    assert found.everywhere == (*DATAFLOW.split(), IMAGE)
    assert found.by_component == {"StatisticsGen": ("--runner=direct", "--x")}


def test_no_options_are_no_options():
    assert read_beam_options([]).everywhere == ()


def test_a_value_may_begin_with_dashes():
    arguments = ["--data", "x", "--beam", "--runner=direct", "--beam=--a", "--beam", "--b c"]
    expected = ["--data", "x", "--beam=--runner=direct", "--beam=--a", "--beam=--b c"]
    assert joined(arguments, FLAG) == expected
    assert joined(expected, FLAG) == expected
    assert joined(["--beam"], FLAG) == ["--beam"]


def test_the_local_runner_passes_them_on():
    config, _ = local_runner.parse(["--data", "x", "--beam", "--runner=direct"])
    assert config.beam_args == ("--runner=direct",)
    config, _ = local_runner.parse(["--data", "x", "--beam", f"StatisticsGen: {PROCESSES}"])
    assert config.beam_args == PipelineConfig.beam_args
    assert config.component_beam_args == {"StatisticsGen": tuple(PROCESSES.split())}


def test_fine_tuning_has_no_statistics():
    arguments = ["--model", "m", "--data", "x", "--beam"]
    config = finetune_runner.parse([*arguments, f"LightCurveValidator: {PROCESSES}"])
    assert config.component_beam_args == {"LightCurveValidator": tuple(PROCESSES.split())}
    with pytest.raises(UsageError, match="Received: StatisticsGen"):
        finetune_runner.parse([*arguments, f"StatisticsGen: {PROCESSES}"])


def test_a_mistake_comes_before_missing_data(tmp_path):
    arguments = ["--data", str(tmp_path / "nowhere"), "--output", str(tmp_path / "out")]
    with pytest.raises(UsageError, match=re.escape(", ".join(RUNNERS))):
        local_runner.main([*arguments, "--beam=--runner=Foo"])
    with pytest.raises(DataNotFoundError):
        local_runner.main(arguments)
