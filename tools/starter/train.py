"""Trains the encoder that comes with the package from nothing, and writes it into the package.

    make starter
    python tools/starter/train.py [--stars 16000] [--epochs 12] [--minutes 30]

1. Makes stars of the built-in synthetic survey (astromer.records.synthetic): no real measurement
   goes into the weights, which are this project's to license.
2. Pre-trains ``astromer_phase`` on them, as ``python -m presentation.scripts.pretrain`` does.
3. Writes the weights, their settings, a model card, checksums and a few light curves with their
   embeddings to ``astromer/serving/starter/model``, which the wheel contains.

The same command goes on where it was stopped, by Ctrl-C, by SIGTERM or by ``--minutes``. Kernels,
threads and seeds are fixed: the same command gives the same weights on one machine.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).parent)]

from astromer.commands.cli import parse_config, run_program  # noqa: E402
from astromer.commands.config import PretrainingConfig  # noqa: E402
from astromer.encoder.config import PHASE, EncoderConfig  # noqa: E402
from astromer.system.config import Config, LogConfig, knob  # noqa: E402
from astromer.system.errors import UsageError  # noqa: E402
from astromer.system.terminal import say  # noqa: E402
from astromer.training.config import TensorBoardConfig, TrainingConfig  # noqa: E402
from tools.starter.stars import HELD_OUT, provide_stars  # noqa: E402

FIXED = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "2",
    "OMP_NUM_THREADS": "1",
}
"""What decides on kernels and threads; whatever the environment says."""

CIRCUMSTANCES = ("work", "folder", "minutes", "release")
"""Options that do not change the weights."""


@dataclass(frozen=True)
class StarterConfig(Config):
    """The stars, the network and its training. Defaults take about an hour of one core."""

    stars: int = knob(16_000, "synthetic stars to make", "--stars", bounds="[40, inf)")
    scale: float = knob(
        1.0,
        "part of --stars to take: 0.1 trains in a tenth of the time",
        "--scale",
        bounds="(0, 1]",
    )
    longest: int = knob(
        3000, "observations of the longest light curve", "--longest", bounds="[10, inf)"
    )
    star_seed: int = knob(11, "seed of the stars", "--star-seed", bounds="[0, inf)")
    seed: int = knob(42, "seed of weights, order and masks", "--seed", bounds="[0, 4294967296)")
    epochs: int = knob(12, "passes over the stars", "--epochs", bounds="[1, inf)")
    mask_draws: int = knob(
        4, "draws of masks that epochs take in turn", "--mask-draws", bounds="[1, inf)"
    )
    hidden: int = knob(64, "width of the network", "--hidden", bounds="[1, inf)")
    num_layers: int = knob(2, "layers of the network", "--n-layers", bounds="[1, inf)")
    num_heads: int = knob(4, "attention heads", "--n-heads", bounds="[1, inf)")
    ffn_dim: int = knob(0, "width of its feed-forward layers; 0 = its own", "--ffn")
    dropout: float = knob(0.1, "dropout rate", "--dropout", bounds="[0, 1)")
    window_size: int = knob(200, "observations of a window", "--window", bounds="[2, inf)")
    batch_size: int = knob(64, "windows of a step", "--bs", bounds="[1, inf)")
    learning_rate: float = knob(2e-3, "highest learning rate", "--lr", bounds="(0, inf)")
    warmup_steps: int = knob(200, "steps until it is reached", "--warmup-steps", bounds="[0, inf)")
    minutes: float = knob(
        0.0,
        "stop after so many; the same command goes on. 0 = train to the end",
        "--minutes",
        bounds="[0, inf)",
    )
    work: str = knob(
        "outputs/starter", "folder of stars, checkpoints and logs", "--work", metavar="FOLDER"
    )
    folder: str = knob(
        str(ROOT / "astromer" / "serving" / "starter" / "model"),
        "where the starter goes; replaced",
        "--starter",
        metavar="FOLDER",
    )
    release: str = knob(
        "1", "version of the starter, to be raised with every other training", "--release"
    )

    @property
    def used(self) -> int:
        """Stars that are made."""
        return max(round(self.stars * self.scale), 2 * HELD_OUT)

    @property
    def command(self) -> str:
        """The command that trains the same weights."""
        words = ["python tools/starter/train.py"]
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            if value != one.default and one.name not in CIRCUMSTANCES:
                words += [one.metadata["flags"][0], str(value)]
        return " ".join(words)

    def pretraining(self, fold: Path) -> PretrainingConfig:
        """What ``pretrain`` is told."""
        return PretrainingConfig(
            data=str(fold),
            output=self.work,
            encoder=EncoderConfig(
                PHASE,
                d_model=self.hidden,
                num_heads=self.num_heads,
                num_layers=self.num_layers,
                ffn_dim=self.ffn_dim,
                dropout=self.dropout,
                window_size=self.window_size,
            ),
            training=TrainingConfig(
                epochs=self.epochs,
                patience=self.epochs,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                warmup_steps=self.warmup_steps,
                decay="cosine",
                clip_norm=1.0,
                seed=self.seed,
                mask_draws=self.mask_draws,
                windows_per_pass=32,  # by default as many as suit the number of cores
            ),
            tensorboard=TensorBoardConfig(image_epochs=0, projector_curves=0),
            logs=LogConfig(keep_logs=1000),
        )


def main(arguments: list[str] | None = None) -> None:
    """Does what is left to do.

    Raises:
        UsageError: an option cannot work.
        TrainingInterrupted: the training was stopped, with its state saved.
    """
    config = parse_config(
        StarterConfig,
        arguments,
        prog="python tools/starter/train.py",
        description=(__doc__ or "").split("\n")[0],
        epilog="The same command goes on with what was stopped.",
    )
    if "tensorflow" in sys.modules:
        raise UsageError(
            "Kernels must be chosen before TensorFlow is loaded. Received: a process "
            "that has loaded it. Start the program anew."
        )
    os.environ.update(FIXED)
    stop_after(config.minutes)
    from astromer.system.logs import silence

    silence()
    from presentation.pretraining import pretrain
    from tools.starter.write import write

    work = Path(config.work).expanduser().resolve()
    config = dataclasses.replace(config, work=str(work))
    fold = provide_stars(work, config.used, config.star_seed, config.longest)
    say(f"stars: {config.used:,} of seed {config.star_seed} in {fold}")
    model = pretrain(config.pretraining(fold), one_device=True)
    write(model, fold, config)


def stop_after(minutes: float) -> None:
    """Sends this process the signal that ends a training with its state saved."""
    if minutes:
        timer = threading.Timer(60 * minutes, os.kill, (os.getpid(), signal.SIGTERM))
        timer.daemon = True
        timer.start()


if __name__ == "__main__":
    run_program(main)
