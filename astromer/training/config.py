"""How an encoder is trained, and what TensorBoard shows of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from astromer.encoder.config import EncoderConfig
from astromer.system.cluster import WORKER_SECONDS
from astromer.system.config import OUTPUT, Config, knob
from astromer.system.parallel import AUTO, BFLOAT16, FLOAT32
from astromer.windows.config import MaskingConfig


@dataclass(frozen=True)
class TrainingConfig(Config):
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
    init: str = knob(
        "",
        "begin with the weights of this pushed model, or of starter, the encoder that comes with "
        "the package; architecture and sizes are then its own. Empty = fresh weights",
        "--init",
        metavar="MODEL",
    )
    init_sha256: str = knob(
        "",
        "SHA-256 that the file of these weights must have; set with --init",
        "--init-sha256",
        metavar="DIGITS",
    )
    synthetic_share: float = knob(
        0.0,
        "part of the training light curves that are synthetic stars, added to the survey's: with "
        "--init starter they keep what the encoder knew of objects that the survey lacks",
        "--synthetic-share",
        bounds="[0, 1)",
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
    mask_draws: int = knob(
        6,
        "draws of windows and masks that the epochs of astromer_phase take in turn: each needs a "
        "search for periods, which takes some 20 ms for each light curve on one core",
        "--mask-draws",
        bounds="[1, inf)",
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
        "float32: faster where the processor or GPU has instructions for it; auto takes it there",
        "--precision",
        choices=(FLOAT32, BFLOAT16, AUTO),
    )
    checkpoint_seconds: float = knob(
        300.0,
        "longest stretch of an epoch that a kill can cost",
        "--checkpoint-seconds",
        bounds="[0, inf)",
    )
    worker_seconds: float = knob(
        WORKER_SECONDS,
        "longest wait for the other workers at the start; machines that must be found and images "
        "that must be fetched take minutes",
        "--worker-seconds",
        bounds="(0, inf)",
    )


@dataclass(frozen=True)
class Hyperparameters(Config):
    """What decides on the weights. Each knob can be given when a compiled pipeline is started."""

    encoder: EncoderConfig = EncoderConfig()
    masking: MaskingConfig = MaskingConfig()
    training: TrainingConfig = TrainingConfig()


@dataclass(frozen=True)
class DebugConfig(Config):
    """What --debug cuts down."""

    curves_per_split: int = knob(64, "enough windows for a step or two")
    epochs: int = knob(2, "enough to see the loss fall and early stopping run", bounds="[1, inf)")

    def shortened(self, training: TrainingConfig) -> TrainingConfig:
        """The training with no more epochs than a trial takes."""
        return dataclasses.replace(training, epochs=min(training.epochs, self.epochs))


@dataclass(frozen=True)
class TensorBoardConfig(Config):
    """What TensorBoard shows of a training besides its numbers."""

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
class TensorBoardServerConfig(Config):
    """Where TensorBoard is served, and what it shows."""

    output: str = knob(
        OUTPUT,
        "an output folder of any program, or one training's folder",
        "--output",
        metavar="FOLDER",
    )
    port: int = knob(
        6006, "port of the server, TensorBoard's usual one; 0 = any", "--port", bounds="[0, 65536)"
    )
    host: str = knob(
        "localhost", "address to listen at; 0.0.0.0 lets other machines look, too", "--host"
    )
    newest: bool = knob(False, "show the newest training alone, not all of them", "--newest")
