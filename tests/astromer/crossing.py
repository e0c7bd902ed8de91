"""What one environment makes of small models, checkpoints and embeddings, and takes of another's.

python -m tests.astromer.crossing make|take FOLD FOLDER OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

from astromer.system.errors import AstromerError

TRAINING = (
    *("--model", "astromer_v1", "--hidden", "8", "--n-heads", "2", "--n-layers", "1"),
    *("--window", "20", "--bs", "4", "--lr", "1e-2"),
)
PUSHED = "astromer_phase"
"""Architecture of the model that is pushed untrained; the other one is that of the training."""
REFUSED = "refused.txt"


def make(fold: Path, folder: Path, out: Path) -> None:
    """A pushed model and a training in a folder; their embeddings in out."""
    from astromer.serving.export import export_saved_model
    from astromer.serving.versions.promotion import push_version
    from tests.conftest import make_model

    model = export_saved_model(make_model(PUSHED), folder / "model")
    push_version(model, folder / "serving")
    train(fold, folder, 1)
    embed(fold, folder, out)


def take(fold: Path, folder: Path, out: Path) -> None:
    """Embeddings by the models of a folder, and what a resumed training is told."""
    embed(fold, folder, out)
    try:
        train(fold, folder, 2)
    except AstromerError as error:
        (out / REFUSED).write_text(str(error), encoding="utf-8")


def train(fold: Path, folder: Path, epochs: int) -> None:
    """Trains in a folder, or resumes."""
    from presentation.pretraining import parse, pretrain

    where = ["--data", str(fold), "--output", str(folder / "run"), "--epochs", str(epochs)]
    pretrain(parse([*where, *TRAINING], "pretrain", "d"), one_device=True)


def embed(fold: Path, folder: Path, out: Path) -> None:
    """A table of the pushed model, and one of the trained model."""
    from astromer.commands.embed import main

    out.mkdir()
    [trained] = folder.glob("run/pretrain/*/model")
    for name, model in {PUSHED: folder / "serving", "trained": trained}.items():
        main(["--model", str(model), "--data", str(fold), "--out", str(out / f"{name}.parquet")])


if __name__ == "__main__":
    {"make": make, "take": take}[sys.argv[1]](*map(Path, sys.argv[2:]))
