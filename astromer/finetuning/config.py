"""How an encoder is fine-tuned and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob
from astromer.system.errors import UsageError


@dataclass(frozen=True)
class FinetuneConfig(Config):
    """How an encoder is fine-tuned on labelled light curves."""

    head: str = knob(
        "auto",
        "what the head reads: mean or max of the last layer over the observed steps of all "
        "windows, or the mean of every layer under learned softmax weights (Astromer 2); auto = "
        "mean of an encoder that sees periods, layers of any other",
        "--head",
        choices=("auto", "mean", "max", "layers"),
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
        "cost of a trial, one to two minutes on two cores for 2 layers of width 64",
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
        500, "trees of a random forest; more change little", "--trees", bounds="[1, inf)"
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

MLP, TREES, WITH_FEATURES = "mlp", "forest", "+features"
HEADS = (MLP, TREES, MLP + WITH_FEATURES, TREES + WITH_FEATURES)
"""Classifiers on an embedding, and on an embedding with features of the light curve beside it."""


@dataclass(frozen=True)
class StudyConfig(Config):
    """What is compared: every encoder mode, number of shots and seed, beside the baselines."""

    encoder: tuple[str, ...] = knob(
        ENCODER_MODES,
        "frozen: the head alone is trained; trainable: the encoder as well, from the trained head",
        "--encoder",
        choices=ENCODER_MODES,
    )
    heads: tuple[str, ...] = knob(
        ("auto",),
        "what reads the embedding: a small network or a random forest, each with classical "
        "features beside it or without; they are part of the embedding of an encoder that sees "
        "periods. auto = both on such an encoder, and the network alone on any other. A forest is "
        "tried on frozen encoders alone",
        "--heads",
        choices=("auto", *HEADS),
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
    min_test_curves: int = knob(
        0,
        "classes with fewer test light curves are left out; the F1 of a handful is mostly chance",
        "--min-test-curves",
        bounds="[0, inf)",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if "none" in self.baselines and len(self.baselines) > 1:
            raise UsageError(f"--baselines none goes alone. Received: {' '.join(self.baselines)}.")
        if "auto" in self.heads and len(self.heads) > 1:
            raise UsageError(f"--heads auto goes alone. Received: {' '.join(self.heads)}.")

    def heads_of(self, folds: bool) -> tuple[str, ...]:
        """The heads of an encoder, which may see periods or not."""
        heads = self.heads
        if "auto" in heads:
            heads = (MLP, TREES) if folds else (MLP,)
        if folds:  # with features in any case
            heads = tuple(head.removesuffix(WITH_FEATURES) for head in heads)
        return tuple(dict.fromkeys(heads))
