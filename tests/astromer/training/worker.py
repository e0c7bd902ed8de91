"""Trains in a process of its own: ``worker.py CURVES.npz JOBS_JSON``.

Writes the final weights and the history of each job to its ``output`` (.npz). Errors and
signals are treated as in every program.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from astromer.commands.cli import run_program
from astromer.encoder.config import EncoderConfig
from astromer.light_curves import LightCurves
from astromer.system.logs import redirect_output, silence
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig


def main() -> None:
    silence()
    from astromer.training.loop import train

    path, jobs = sys.argv[1], json.loads(sys.argv[2])
    with np.load(path) as arrays:
        curves = {
            split: LightCurves(
                **{n.split("/")[1]: arrays[n] for n in arrays.files if n.startswith(split)}
            )
            for split in ("train", "validation")
        }
    for job in jobs:
        with redirect_output(Path(job["output"]).with_suffix(".log")):
            result = train(
                curves["train"],
                curves["validation"],
                encoder=EncoderConfig(**job["encoder"]),
                masking=MaskingConfig(**job["masking"]),
                training=TrainingConfig(**job["training"]),
                checkpoint_dir=Path(job["checkpoint_dir"]),
                log_dir=Path(job["log_dir"]),
            )
        weights = {v.path: np.asarray(v) for v in result.model.variables}
        np.savez(job["output"], history=np.array(json.dumps(result.history)), **weights)


if __name__ == "__main__":
    run_program(main)
