"""The one list of knobs of AstroMer pipeline.

Frozen dataclasses hold every setting once, each with the reason for its default.
Command-line flags (:mod:`astromer.commands.cli`), the Trainer's ``custom_config`` and the
``config.json`` inside a pushed model are all made from them. This module imports
the standard library only, so that ``--help`` answers at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ARCHITECTURES = ("astromer_v1", "astromer_v2")


def knob(
    default: Any,
    reason: str,
    *flags: str,
    choices: tuple[str, ...] = (),
    bounds: str = "",
) -> Any:
    """A dataclass field that knows its reason, its flags and what values it takes.

    Args:
        default: the default.
        reason: what it is and why the default is what it is.
        flags: command-line flags that set it.
        choices: the values it takes, where there are few.
        bounds: the values it takes as an interval, for instance "[0, 1)".
    """
    metadata = {"reason": reason, "flags": flags, "choices": choices, "bounds": bounds}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of the encoder."""

    architecture: str = knob(
        "astromer_v1",
        "name of the model architecture; v1 is the published Astromer 1",
        "--model",
        choices=ARCHITECTURES,
    )
    d_model: int = knob(
        256, "width of the hidden representations", "--hidden", "--d-model", bounds="[1, inf)"
    )
    num_heads: int = knob(
        4, "attention heads; must divide the width", "--n-heads", bounds="[1, inf)"
    )
    num_layers: int = knob(4, "transformer layers of the encoder", "--n-layers", bounds="[1, inf)")
    ffn_dim: int = knob(
        0,
        "width of the feed-forward layer; 0 = the architecture's own (v1 128, v2 256)",
        "--ffn",
        bounds="[0, inf)",
    )
    dropout: float = knob(
        0.1, "dropout rate after attention and feed-forward", "--dropout", bounds="[0, 1)"
    )
    window_size: int = knob(
        200, "observations per window, as published", "--window", bounds="[2, inf)"
    )
    pe_base: float = knob(
        10000.0,
        "base of the positional encoding; what the public weights used",
        "--pe-base",
        bounds="(1, inf)",
    )


@dataclass(frozen=True)
class MaskingConfig:
    """Which steps of a window are probed, and what the network sees of them (BERT's recipe)."""

    probed: float = knob(
        0.5,
        "fraction of the observed steps that is probed (Astromer 1)",
        "--probed",
        bounds="[0, 1]",
    )
    same: float = knob(
        0.2, "fraction of the probed steps that stay as they are", "--same", bounds="[0, 1]"
    )
    random: float = knob(
        0.2,
        "fraction of the other probed steps that show another step's magnitude",
        "--random",
        bounds="[0, 1]",
    )


@dataclass(frozen=True)
class TrainingConfig:
    """How the encoder is trained."""

    epochs: int = knob(100, "passes over the training data", "--epochs", bounds="[1, inf)")
    batch_size: int = knob(
        256, "windows per step, over all replicas together", "--bs", bounds="[1, inf)"
    )
    learning_rate: float = knob(1e-4, "learning rate of Adam", "--lr", bounds="(0, inf)")
    patience: int = knob(
        5,
        "epochs without a better validation loss before stopping",
        "--patience",
        bounds="[1, inf)",
    )
    log_every: int = knob(
        100, "steps between two lines of training metrics", "--log-every", bounds="[1, inf)"
    )
    seed: int = knob(
        42, "seed of weights, data order, masks and dropout", "--seed", bounds="[0, 4294967296)"
    )
    norm: bool = knob(
        False, "normalise: divide each window's magnitudes by their visible spread", "--norm"
    )
    debug: bool = knob(False, "try everything on a small part of the data", "--debug")
    warmup_steps: int = knob(
        0, "steps of linear learning-rate warm-up; 0 = none", "--warmup-steps", bounds="[0, inf)"
    )
    decay: str = knob(
        "constant",
        "learning rate after warm-up: constant (as published) or cosine to zero",
        "--decay",
        choices=("constant", "cosine"),
    )
    clip_norm: float = knob(
        0.0, "largest global gradient norm; 0 = no clipping", "--clip-norm", bounds="[0, inf)"
    )
    loss_on: str = knob(
        "probed",
        "steps the training loss scores: probed (as published) or hidden only",
        "--loss-on",
        choices=("probed", "hidden"),
    )
    error_weighted: bool = knob(
        False,
        "weigh the squared errors of the loss by 1 / errmag^2 within a window",
        "--error-weighted",
    )
    replicas: int = knob(
        0,
        "0 = every visible GPU, or one CPU replica; N = N logical CPU devices",
        "--replicas",
        bounds="[0, inf)",
    )
    windows_per_pass: int = knob(
        0,
        "windows that a replica works on at once, with the gradient summed over the batch: changes "
        "speed, memory and rounding only; 0 = up to 64 for each core of a CPU, 256 on a GPU",
        "--windows-per-pass",
        bounds="[0, inf)",
    )
    precision: str = knob(
        "float32",
        "mixed_bfloat16 trains with matrix products in bfloat16, all else and every evaluation in "
        "float32: faster where the processor or GPU has instructions for it",
        "--precision",
        choices=("float32", "mixed_bfloat16"),
    )
    checkpoint_seconds: float = knob(
        300.0,
        "longest stretch of an epoch that a kill can cost",
        "--checkpoint-seconds",
        bounds="[0, inf)",
    )
    worker_seconds: float = knob(
        900.0,
        "longest wait for the other workers at the start; machines that must be found and images "
        "that must be fetched take minutes",
        "--worker-seconds",
        bounds="(0, inf)",
    )


@dataclass(frozen=True)
class TensorBoardConfig:
    """What TensorBoard is told of a training besides its numbers."""

    image_epochs: int = knob(
        5,
        "epochs between two pictures of reconstructed validation light curves, the first epoch's "
        "apart; 0 = none. A picture takes half a second and needs the extra plots",
        "--image-epochs",
        bounds="[0, inf)",
    )
    image_curves: int = knob(
        4,
        "light curves in a picture, of the commonest classes first",
        "--image-curves",
        bounds="[1, 16]",
    )
    projector_curves: int = knob(
        2000,
        "most validation light curves whose embeddings the projector shows, at the end of the "
        "training; 0 = none. What a browser arranges in seconds",
        "--projector-curves",
        bounds="[0, inf)",
    )


@dataclass(frozen=True)
class TensorBoardServerConfig:
    """Where TensorBoard is served, and what it shows."""

    port: int = knob(
        6006, "port of the server, TensorBoard's usual one; 0 = any", "--port", bounds="[0, 65536)"
    )
    host: str = knob(
        "localhost", "address to listen at; 0.0.0.0 lets other machines look, too", "--host"
    )
    newest: bool = knob(False, "show the newest training alone, not all of them", "--newest")


@dataclass(frozen=True)
class LogConfig:
    """Which log files of earlier runs stay."""

    keep_logs: int = knob(
        20,
        "runs whose log files stay in OUTPUT/logs; a log is some megabytes, and the last few tell "
        "what went wrong",
        "--keep-logs",
        bounds="[1, inf)",
    )


@dataclass(frozen=True)
class RecordsConfig:
    """How surveys become fold records."""

    folds: int = knob(
        1,
        "divisions of the same stars whose tests have no star in common (K-fold cross-validation)",
        "--folds",
        bounds="[1, inf)",
    )
    val_frac: float = knob(
        0.2, "fraction of the stars held out for validation", "--val-frac", bounds="[0, 1)"
    )
    test_frac: float = knob(
        0.2, "fraction of the stars held out for the test", "--test-frac", bounds="[0, 1)"
    )
    njobs: int = knob(
        4,
        "threads that clean and encode light curves while the next shard is read",
        "--njobs",
        bounds="[1, inf)",
    )
    elements_per_shard: int = knob(
        200000, "most light curves in one record file", "--elements-per-shard", bounds="[1, inf)"
    )
    seed: int = knob(42, "seed of the division into subsets", "--seed", bounds="[0, 4294967296)")


@dataclass(frozen=True)
class MissingErrorsConfig:
    """What becomes of observations without an error (errmag missing, null or NaN)."""

    missing_errors: str = knob(
        "refuse",
        "refuse them, fill in the constant --error-fill, or each curve's own robust scatter",
        "--missing-errors",
        choices=("refuse", "constant", "scatter"),
    )
    error_fill: float = knob(
        0.02,
        "error that is filled in, and the least for scatter [mag]; typical of ground-based surveys",
        "--error-fill",
        bounds="(0, 1)",
    )


@dataclass(frozen=True)
class LightCurveRules:
    """What counts as a usable observation and a usable light curve."""

    min_observations: int = knob(
        5, "shorter curves say nothing about variability (public convention)"
    )
    min_errmag: float = knob(0.0, "errors must be above this [mag]")
    max_errmag: float = knob(1.0, "errors must be below this [mag]; larger ones are failed fits")
    min_mag: float = knob(-30.0, "instrumental magnitudes go down to about -15 [mag]")
    max_mag: float = knob(40.0, "no survey reaches fainter; 99.999 is a common sentinel [mag]")
    min_mjd: float = knob(0.0, "MJD 0 is 1858: earlier times mean a wrong time system [days]")
    max_mjd: float = knob(
        200000.0, "MJD 200000 is the year 2406; a JD (2.4 million) is caught [days]"
    )
    min_time_span: float = knob(
        0.01, "shorter curves [days] are one visit of a quarter of an hour, whatever they count"
    )
    max_time_span: float = knob(
        45000.0,
        "longer than photographic plates (39,000 days): a zero among times after 1982 [days]",
    )
    max_residual: float = knob(
        0.5, "float32 loses less [days] even of a JD: larger residuals belong to other times"
    )
    max_split_distance: float = knob(
        0.3,
        "Jensen-Shannon distance of mag between splits that stops a run; like splits reach 0.01",
    )


@dataclass(frozen=True)
class ServingConfig:
    """How much a served model takes in one request, so that none ends the server."""

    serve_max_observations: int = knob(
        500_000,
        "observations of a light curve; a longer one gets a status, the others their answers. "
        "Surveys reach 100,000",
        "--serve-max-observations",
        bounds="[5, 1000000000]",
    )
    serve_max_batch: int = knob(
        10_000,
        "light curves of a request: its answer takes kilobytes for each, however short",
        "--serve-max-batch",
        bounds="[1, 1000000000]",
    )
    serve_max_steps: int = knob(
        2_000_000,
        "steps of all windows of a request, unused ones too, and of padded light curves that are "
        "reconstructed",
        "--serve-max-steps",
        bounds="[1, 1000000000]",
    )
    serve_max_sequence: int = knob(
        33_554_432,
        "numbers in 'sequence', which has a vector for each step: 128 MB, of which making it takes "
        "several times as much. 131,072 steps of a width of 256",
        "--serve-max-sequence",
        bounds="[1, 1000000000]",
    )
    serve_max_window_steps: int = knob(
        51_200,
        "steps of the windows of 'encode_windows', which go through the network all at once: 256 "
        "windows of 200",
        "--serve-max-window-steps",
        bounds="[1, 1000000000]",
    )


SEVERITIES = ("reject", "warn", "stop", "off")
_UNUSABLE = ("reject", "stop")
"""No model can be trained on a light curve that breaks such a rule."""


@dataclass(frozen=True)
class ValidationConfig:
    """What becomes of light curves that break a rule: a severity for each rule.

    ``reject`` leaves the light curve out, ``warn`` keeps and reports it, ``stop`` ends the run,
    ``off`` does not look. The thresholds are those of :class:`LightCurveRules`.
    """

    max_rejected: float = knob(
        0.05,
        "fraction of the light curves that may be rejected; more mean a fault in the survey",
        "--max-rejected",
        bounds="[0, 1]",
    )
    missing_series: str = knob(
        "reject", "without times or magnitudes there is no light curve", choices=_UNUSABLE
    )
    unequal_lengths: str = knob(
        "reject", "which values belong to one observation is unknown", choices=_UNUSABLE
    )
    not_finite: str = knob(
        "reject", "one NaN or infinity makes the whole model NaN", choices=_UNUSABLE
    )
    wrong_residual: str = knob(
        "reject",
        "mjd_residual is what float32 lost of each time: others make the times wrong",
        choices=SEVERITIES,
    )
    missing_errmag: str = knob(
        "reject", "errors are never made up silently; a policy can fill them", choices=_UNUSABLE
    )
    unsorted_mjd: str = knob(
        "reject",
        "times that go back hint at mixed objects or time systems",
        choices=SEVERITIES,
    )
    repeated_mjd: str = knob(
        "reject",
        "one telescope measures a star once at a time: a repeated or rounded observation",
        choices=SEVERITIES,
    )
    mjd_out_of_range: str = knob(
        "reject", "the times are in another system, for instance JD", choices=SEVERITIES
    )
    mag_out_of_range: str = knob(
        "reject", "a sentinel such as 99.999 is taken for a magnitude", choices=SEVERITIES
    )
    errmag_out_of_range: str = knob(
        "reject", "errors of zero or above a magnitude are failed fits", choices=SEVERITIES
    )
    too_short: str = knob(
        "reject", "too few observations say nothing about variability", choices=SEVERITIES
    )
    time_span: str = knob("reject", "one visit, or a sentinel among the times", choices=SEVERITIES)
    constant_mag: str = knob(
        "warn", "magnitudes that are all equal are a placeholder, or rounded", choices=SEVERITIES
    )
    missing_id: str = knob(
        "warn", "a light curve without a name is kept, but cannot be traced", choices=SEVERITIES
    )
    duplicate_id: str = knob(
        "reject", "the same object in the same band twice counts twice", choices=SEVERITIES
    )
    duplicate_curve: str = knob(
        "reject", "the same observations under another name count twice", choices=SEVERITIES
    )
    leaked_star: str = knob(
        "reject", "a star that is trained on and tested on flatters the model", choices=SEVERITIES
    )
    leaked_curve: str = knob(
        "reject", "a renamed copy in another split flatters the model too", choices=SEVERITIES
    )
    shared_test_star: str = knob(
        "warn",
        "a star in the test split of two folds makes their scores dependent",
        choices=("warn", "stop", "off"),
    )
    data_drift: str = knob(
        "warn",
        "data unlike those of the pushed model may be meant: another survey, a new release",
        choices=("warn", "stop", "off"),
    )


@dataclass(frozen=True)
class EvaluationConfig:
    """When a trained model is blessed."""

    max_rmse_increase: float = knob(
        0.05,
        "hidden-step RMSE may exceed the pushed model's by this fraction (seed noise)",
        bounds="[0, inf)",
    )
    batch_size: int = knob(
        256, "windows per evaluation step; changes speed only", bounds="[1, inf)"
    )


@dataclass(frozen=True)
class ReportConfig:
    """What the page about a run shows."""

    scored_windows: int = knob(
        300,
        "windows of the test split, drawn at random, that are reconstructed for the page; bounds "
        "its cost",
        "--report-windows",
        bounds="[1, inf)",
    )
    mapped_curves: int = knob(
        250,
        "light curves of the test split, drawn at random, on the map of embeddings",
        "--report-curves",
        bounds="[1, inf)",
    )
    plotted_classes: int = knob(
        6,
        "classes, the commonest first, of which a reconstructed window is plotted",
        "--report-classes",
        bounds="[0, inf)",
    )
    embedding_map: str = knob(
        "pca",
        "how embeddings are brought to a plane: pca keeps distances, tsne shows groups and takes "
        "seconds longer",
        "--report-map",
        choices=("pca", "tsne"),
    )
    draw_seed: int = knob(0, "seed of what is drawn at random for the page", bounds="[0, inf)")


@dataclass(frozen=True)
class FinetuneConfig:
    """How an encoder is fine-tuned on labelled light curves."""

    head: str = knob(
        "layers",
        "what the head reads: mean or max of the last layer over the observed steps of all "
        "windows, or the mean of every layer under learned softmax weights (Astromer 2)",
        "--head",
        choices=("mean", "max", "layers"),
    )
    head_hidden: int = knob(
        64,
        "width of the head's hidden layer; 0 = a linear head. Small, as draws are",
        "--head-hidden",
        bounds="[0, inf)",
    )
    head_dropout: float = knob(0.2, "dropout rate in the head", "--head-dropout", bounds="[0, 1)")
    head_epochs: int = knob(
        200, "most epochs of the head on a frozen encoder", "--head-epochs", bounds="[1, inf)"
    )
    head_learning_rate: float = knob(
        1e-3, "learning rate of Adam for the head on a frozen encoder", "--head-lr", bounds="(0, 1]"
    )
    head_batch_size: int = knob(64, "light curves per step of the head", bounds="[1, inf)")
    head_patience: int = knob(
        20,
        "epochs of the head without a lower validation loss before it stops; they cost little",
        "--head-patience",
        bounds="[1, inf)",
    )
    epochs: int = knob(30, "most epochs of the trainable encoder", "--epochs", bounds="[1, inf)")
    max_windows: int = knob(
        24000,
        "windows that a trainable encoder is trained on in all, at least one epoch: bounds the "
        "cost of a cell, one to two minutes on two cores for 2 layers of width 64",
        "--max-windows",
        bounds="[1, inf)",
    )
    windows_per_curve: int = knob(
        2,
        "random windows of a light curve in an epoch of the trainable encoder; all in evaluation",
        "--windows-per-curve",
        bounds="[1, inf)",
    )
    batch_size: int = knob(
        32, "light curves per step of the trainable encoder", "--bs", bounds="[1, inf)"
    )
    learning_rate: float = knob(
        2e-4,
        "peak learning rate of Adam for encoder and head, falling to zero as a cosine; 5e-4 upset "
        "what the head had learned and took epochs to recover",
        "--lr",
        bounds="(0, 1]",
    )
    patience: int = knob(
        30,
        "epochs of the trainable encoder without a lower validation loss before it stops; the loss "
        "is above the frozen encoder's until the learning rate has fallen, and 10 stopped too soon",
        "--patience",
        bounds="[1, inf)",
    )
    trees: int = knob(
        500, "trees of the random forest; more change little", "--trees", bounds="[1, inf)"
    )
    public_trainable: bool = knob(
        False,
        "fine-tune the public weights, too: 2 layers of width 256 take some four times longer "
        "than of 64",
        "--public-trainable",
    )
    reconstruct_epochs: int = knob(
        10,
        "most epochs of --task reconstruct; the encoder has been trained already",
        "--reconstruct-epochs",
        bounds="[1, inf)",
    )
    reconstruct_batch_size: int = knob(
        64, "windows per step of --task reconstruct: a new survey is small", bounds="[1, inf)"
    )


ENCODER_MODES = ("frozen", "trainable")
BASELINES = ("random", "forest", "public")


@dataclass(frozen=True)
class StudyConfig:
    """What is compared: every encoder mode, number of shots and seed, beside the baselines."""

    encoder: tuple[str, ...] = knob(
        ENCODER_MODES,
        "frozen: the head alone is trained; trainable: the encoder as well, from the trained head",
        "--encoder",
        choices=ENCODER_MODES,
    )
    shots: tuple[int, ...] = knob(
        (20, 100, 500),
        "training light curves per class, all there are where a class has fewer; 0 = all",
        "--shots",
        bounds="[0, inf)",
    )
    seeds: tuple[int, ...] = knob(
        (1, 2, 3),
        "of the drawn light curves, the heads and the random encoders; three show a spread",
        "--seeds",
        bounds="[0, 4294967296)",
    )
    baselines: tuple[str, ...] = knob(
        ("random", "forest"),
        "what to compare with: an encoder with fresh weights, a random forest on classical "
        "features, the --public-weights; 'none' for nothing",
        "--baselines",
        choices=(*BASELINES, "none"),
    )

    def __post_init__(self) -> None:
        for knob_field in dataclasses.fields(self):  # JSON knows lists only
            object.__setattr__(self, knob_field.name, tuple(getattr(self, knob_field.name)))


@dataclass(frozen=True)
class DebugConfig:
    """What --debug cuts down."""

    curves_per_split: int = knob(64, "enough windows for a step or two")
    epochs: int = knob(2, "enough to see the loss fall and early stopping run", bounds="[1, inf)")

    def shortened(self, training: TrainingConfig) -> TrainingConfig:
        """The training with no more epochs than a trial takes."""
        return dataclasses.replace(training, epochs=min(training.epochs, self.epochs))


_METADATA = knob(
    "",
    "database of lineage and cache: postgresql://USER@HOST:PORT/DATABASE, mysql://..., "
    "sqlite:///FILE; a file in --output unless given. Password: PGPASSWORD, MYSQL_PWD, or in it",
    "--metadata",
)


@dataclass(frozen=True)
class PipelineConfig:
    """Everything one pipeline run needs."""

    data: str
    output: str = knob("./outputs", "where checkpoints, logs, metadata and versions go", "--output")
    name: str = knob("astromer", "name of the pipeline and of the served model")
    metadata: str = _METADATA
    encoder: EncoderConfig = EncoderConfig()
    masking: MaskingConfig = MaskingConfig()
    training: TrainingConfig = TrainingConfig()
    rules: LightCurveRules = LightCurveRules()
    validation: ValidationConfig = ValidationConfig()
    errors: MissingErrorsConfig = MissingErrorsConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    report: ReportConfig = ReportConfig()
    no_report: bool = knob(
        False, "make no page about the run; it takes some seconds", "--no-report"
    )
    debug: DebugConfig = DebugConfig()
    tensorboard: TensorBoardConfig = TensorBoardConfig()
    logs: LogConfig = LogConfig()
    serving: ServingConfig = ServingConfig()
    beam_args: tuple[str, ...] = knob(
        ("--direct_running_mode=in_memory", "--direct_num_workers=1"),
        "Apache Beam's arguments; with one in-memory worker components do their work without Beam, "
        "which was the fastest at every size measured on one machine "
        "(tools/benchmarks/beam_runners.py)",
    )
    component_beam_args: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Arguments that come after those, by component; of an option given twice the last counts."""


@dataclass(frozen=True)
class ClusterConfig:
    """Where and on what the pipeline runs, if not on this machine."""

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


@dataclass(frozen=True)
class VertexConfig:
    """Which Vertex AI a run is submitted to."""

    project: str = knob("", "Google Cloud project; needed for --submit", "--project")
    region: str = knob("", "its region, for instance europe-west4; needed for --submit", "--region")


@dataclass(frozen=True)
class KubeflowConfig:
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


@dataclass(frozen=True)
class ClassifierConfig:
    """Everything one run of the fine-tuning pipeline needs."""

    model: str
    data: str
    output: str
    name: str = knob("astromer_classifier", "name of the pipeline and of the served classifier")
    metadata: str = _METADATA
    finetune: FinetuneConfig = FinetuneConfig()
    study: StudyConfig = StudyConfig()
    public_weights: str = knob("", "zip of public weights for the baseline 'public'")
    bless_over: str = knob(
        "random",
        "what the classifier's macro-F1 on the test split must exceed to be pushed: that of the "
        "random encoder (else pre-training has gained nothing), or of the most frequent class",
        "--bless-over",
        choices=("random", "majority"),
    )
    rules: LightCurveRules = LightCurveRules()
    validation: ValidationConfig = ValidationConfig()
    errors: MissingErrorsConfig = MissingErrorsConfig()
    logs: LogConfig = LogConfig()
    serving: ServingConfig = ServingConfig()
    beam_args: tuple[str, ...] = PipelineConfig.beam_args
    component_beam_args: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def check(config: Any) -> None:
    """Checks every knob of a config, and those that depend on each other.

    Raises:
        ValueError: naming the flag, the rule and the value received.
    """
    for knob_field in dataclasses.fields(config):
        value, metadata = getattr(config, knob_field.name), knob_field.metadata
        name = " / ".join(metadata.get("flags", ())) or knob_field.name
        if value == ():
            raise ValueError(f"{name} must have at least one value. Received: none")
        for one in value if isinstance(value, tuple) else (value,):
            if metadata.get("bounds") and not _inside(one, metadata["bounds"]):
                raise ValueError(f"{name} must be in {metadata['bounds']}. Received: {one}")
            if metadata.get("choices") and one not in metadata["choices"]:
                raise ValueError(
                    f"{name} must be one of {', '.join(metadata['choices'])}. Received: {one}"
                )
    if isinstance(config, EncoderConfig) and config.d_model % config.num_heads:
        raise ValueError(
            f"--n-heads must divide --hidden. Received: {config.num_heads} heads for a width of "
            f"{config.d_model}"
        )
    if isinstance(config, MaskingConfig) and config.probed == 1 and config.same == 0:
        raise ValueError(
            "--probed and --same must leave steps that show their magnitude. Received: all steps "
            "probed and none of them the same"
        )
    if isinstance(config, ServingConfig) and config.serve_max_steps < config.serve_max_observations:
        raise ValueError(
            "--serve-max-steps must let a light curve of --serve-max-observations through. "
            f"Received: {config.serve_max_steps} and {config.serve_max_observations}"
        )
    if isinstance(config, RecordsConfig) and config.val_frac + config.test_frac >= 1:
        raise ValueError(
            "--val-frac and --test-frac must leave stars to train on. Received: "
            f"{config.val_frac} and {config.test_frac}"
        )


def _inside(value: float, bounds: str) -> bool:
    low, high = (float(edge) for edge in bounds[1:-1].split(","))
    above = value >= low if bounds[0] == "[" else value > low
    below = value <= high if bounds[-1] == "]" else value < high
    return above and below


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain JSON types."""
    return dataclasses.asdict(config)
