"""Every setting of AstroMer pipeline: this index composes the config classes of the packages.

Frozen dataclasses hold every setting once, each with the reason for its default.
Command-line flags (:mod:`astromer.commands.cli`), the Trainer's ``custom_config`` and the
``config.json`` inside a pushed model are all made from them. Nothing heavy is imported, so that
``--help`` answers at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from astromer.commands.config import ClassificationConfig, PretrainingConfig
from astromer.encoder.config import ARCHITECTURES, EncoderConfig
from astromer.evaluation.config import EvaluationConfig
from astromer.finetuning.config import BASELINES, ENCODER_MODES, FinetuneConfig, StudyConfig
from astromer.records.config import LightCurveRules, MissingErrorsConfig, RecordsConfig
from astromer.reports.config import ReportConfig
from astromer.serving.config import MODEL_NAME, ServingConfig
from astromer.system.config import OUTPUT, REQUIRED, Config, LogConfig, knob, to_dict
from astromer.system.errors import UsageError
from astromer.training.config import (
    DebugConfig,
    TensorBoardConfig,
    TensorBoardServerConfig,
    TrainingConfig,
)
from astromer.validation.config import SEVERITIES, ValidationConfig
from astromer.windows.config import MaskingConfig

__all__ = [
    "ARCHITECTURES",
    "BASELINES",
    "ENCODER_MODES",
    "OUTPUT",
    "SEVERITIES",
    "ClassifierConfig",
    "ClusterConfig",
    "DebugConfig",
    "EncoderConfig",
    "EvaluationConfig",
    "FinetuneConfig",
    "KubeflowConfig",
    "LightCurveRules",
    "LogConfig",
    "MaskingConfig",
    "MissingErrorsConfig",
    "PipelineConfig",
    "RecordsConfig",
    "RemotePipelineConfig",
    "ReportConfig",
    "ServingConfig",
    "StudyConfig",
    "TensorBoardConfig",
    "TensorBoardServerConfig",
    "TrainingConfig",
    "ValidationConfig",
    "VertexConfig",
    "to_dict",
]


_METADATA = knob(
    "",
    "database of lineage and cache: postgresql://USER@HOST:PORT/DATABASE, mysql://..., "
    "sqlite:///FILE; a file in --output unless given. Password: PGPASSWORD, MYSQL_PWD, or in it",
    "--metadata",
)


@dataclass(frozen=True)
class PipelineConfig(PretrainingConfig):
    """Everything one pipeline run needs."""

    name: str = knob(MODEL_NAME, "name of the pipeline and of the served model")
    metadata: str = _METADATA
    evaluation: EvaluationConfig = EvaluationConfig()
    report: ReportConfig = ReportConfig()
    no_report: bool = knob(
        False, "make no page about the run; it takes some seconds", "--no-report"
    )
    beam_args: tuple[str, ...] = knob(
        ("--direct_running_mode=in_memory", "--direct_num_workers=1"),
        "Apache Beam's arguments; with one in-memory worker components do their work without Beam, "
        "which was the fastest at every size measured on one machine "
        "(tools/benchmarks/beam_runners.py)",
    )
    component_beam_args: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Arguments that come after those, by component; of an option given twice the last counts."""


@dataclass(frozen=True)
class RemotePipelineConfig(PipelineConfig):
    """The same of a pipeline that runs on a cluster."""

    data: str = knob(
        REQUIRED, "folder of fold records, as the cluster sees it", "--data", metavar="FOLD"
    )
    output: str = knob(
        REQUIRED,
        "folder, as the cluster sees it, for artifacts, checkpoints, logs and pushed versions",
        "--output",
        metavar="FOLDER",
    )
    metadata: str = field(default="", init=False)
    """The cluster keeps the lineage."""
    logs: LogConfig = field(default=LogConfig(), init=False)
    """The cluster keeps the logs."""


@dataclass(frozen=True)
class ClusterConfig(Config):
    """Where and on what the pipeline runs, if not on this machine."""

    spec: str = knob(
        "",
        f"the compiled pipeline (default: {OUTPUT}/compiled/vertex.yaml or kubeflow.yaml)",
        "--spec",
        metavar="FILE",
    )
    compile_only: bool = knob(
        False, "write the compiled pipeline, which is the default", "--compile-only"
    )
    submit: bool = knob(False, "compile and start a run", "--submit")
    schedule: str = knob(
        "",
        "cron expression, with --submit: start a run again and again instead of once",
        "--schedule",
        metavar="CRON",
    )
    image: str = knob(
        "astromer-pipeline:latest",
        "container image that every step runs in; deploy/pipeline/Dockerfile makes it",
        "--image",
    )
    service_account: str = knob(
        "",
        "account that the steps run as; it must read the records and write the output. "
        "Empty = the cluster's own choice",
        "--service-account",
    )
    machine_type: str = knob(
        "",
        "machine of the Trainer and the Evaluator, by name or as CORES:GB; the other steps are "
        "placed by the cluster. Empty = n1-standard-8 on Vertex AI, 7:24 on Kubeflow",
        "--machine-type",
    )
    gpu_type: str = knob(
        "",
        "accelerator of the Trainer; empty = NVIDIA_TESLA_T4 on Vertex AI, nvidia.com/gpu on "
        "Kubeflow",
        "--gpu-type",
    )
    gpu_count: int = knob(
        1, "GPUs of the Trainer, which uses all of them; 0 = none", "--gpus", bounds="[0, 16]"
    )
    beam_options: str = knob(
        " ".join(PipelineConfig.beam_args),
        "options of Apache Beam for the steps that use it, in one string, for instance "
        '"--runner=DataflowRunner --project=P --region=R --temp_location=gs://B/tmp '
        '--sdk_container_image=IMAGE"',
        "--beam-options",
    )
    trainer_retries: int = knob(
        2,
        "times that a Trainer which failed is started again, as after a lost machine; it goes on "
        "from its last checkpoint",
        "--trainer-retries",
        bounds="[0, 100]",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spec and not self.spec.endswith((".yaml", ".yml")):
            raise UsageError(f"--spec must be the name of a .yaml file. Received: {self.spec}.")
        if self.submit and self.compile_only:
            raise UsageError("--compile-only and --submit exclude each other. Received: both.")
        if self.schedule and not self.submit:
            raise UsageError(f"--schedule needs --submit. Received: --schedule {self.schedule}.")


@dataclass(frozen=True)
class VertexConfig(Config):
    """Which Vertex AI a run is submitted to."""

    project: str = knob("", "Google Cloud project; needed for --submit", "--project")
    region: str = knob("", "its region, for instance europe-west4; needed for --submit", "--region")


@dataclass(frozen=True)
class KubeflowConfig(Config):
    """Which Kubeflow Pipelines a run is submitted to."""

    endpoint: str = knob(
        "",
        "address of its API, for instance http://localhost:8080; needed for --submit",
        "--endpoint",
    )
    namespace: str = knob("", "where several users share it: the namespace to use", "--namespace")
    experiment: str = knob("astromer", "experiment that the run is listed under", "--experiment")
    token_file: str = knob(
        "", "file with the access token, where the API asks for one", "--token-file"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.endpoint and not self.endpoint.startswith(("http://", "https://")):
            raise UsageError(
                f"--endpoint must start with http:// or https://. Received: {self.endpoint}."
            )


@dataclass(frozen=True)
class ClassifierConfig(ClassificationConfig):
    """Everything one run of the fine-tuning pipeline needs."""

    output: str = knob(
        "",
        f"where results and versions go (default: OUTPUT of the pre-training run, else {OUTPUT})",
        "--output",
        metavar="FOLDER",
    )
    name: str = knob("astromer_classifier", "name of the pipeline and of the served classifier")
    metadata: str = _METADATA
    bless_over: str = knob(
        "random",
        "what the classifier's macro-F1 on the test split must exceed to be pushed: that of the "
        "random encoder (else pre-training has gained nothing), or of the most frequent class",
        "--bless-over",
        choices=("random", "majority"),
    )
    beam_args: tuple[str, ...] = PipelineConfig.beam_args
    component_beam_args: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bless_over == "random" and "random" not in self.study.baselines:
            raise UsageError(
                "--bless-over random needs --baselines random. Received: --baselines "
                f"{' '.join(self.study.baselines)}. Add it, or give --bless-over majority."
            )
