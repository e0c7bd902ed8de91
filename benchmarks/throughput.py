"""Windows per second of the train step, the input pipeline and the forward pass, by model size.

    python benchmarks/throughput.py

Sizes take turns, so that a busy machine slows all of them; the last column is the ratio of the
train step to that of the documented defaults in the same run.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from astromer.logs import silence

silence()

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.training import Trainer
from pipeline_config import EncoderConfig, MaskingConfig, TrainingConfig

SIZES = {
    "documented defaults": EncoderConfig(),
    "v2, documented sizes": EncoderConfig("astromer_v2"),
    "v2, 2 layers of 128": EncoderConfig("astromer_v2", 128, 2, 2),
    "v2, 2 layers of 64": EncoderConfig("astromer_v2", 64, 2, 2),
}
ROUNDS = 4


def make_curves(lengths: Iterable[int] = (200,) * 600) -> LightCurves:
    """Noise at irregular times; by default full windows, the most expensive ones."""
    rng = np.random.default_rng(0)
    return LightCurves.from_curves(
        LightCurve(
            mjd=np.sort(rng.uniform(50000, 52000, length)),
            mag=rng.normal(15, 0.3, length).astype(np.float32),
            errmag=rng.uniform(0.01, 0.1, length).astype(np.float32),
        )
        for length in lengths
    )


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main() -> None:
    """Prints the table."""
    curves = make_curves()
    with tempfile.TemporaryDirectory() as folder:
        trainers = {
            name: Trainer(
                curves,
                curves,
                encoder=encoder,
                masking=MaskingConfig(),
                training=TrainingConfig(),
                checkpoint_dir=Path(folder) / name,
                log_dir=Path(folder) / "logs",
            )
            for name, encoder in SIZES.items()
        }
        times: dict[str, dict[str, list[float]]] = {n: {"step": [], "forward": []} for n in SIZES}
        data: list[float] = []
        batch = next(iter(trainers.values()))._epoch(0).batch(0)
        for turn in range(ROUNDS + 1):
            for name, trainer in trainers.items():
                step = seconds(lambda: trainer.step(batch, turn).numpy())  # noqa: B023
                forward = seconds(lambda: trainer.predictor(batch))  # noqa: B023
                assembly = seconds(lambda: trainer._epoch(0).batch(0))  # noqa: B023
                if turn:  # the first one compiles
                    times[name]["step"].append(step)
                    times[name]["forward"].append(forward)
                    data.append(assembly)
    reference = statistics.median(times["documented defaults"]["step"])
    print(f"{'size':24}{'train step':>14}{'forward':>14}{'step ratio':>12}   [windows/s]")
    for name, measured in times.items():
        step, forward = (statistics.median(measured[key]) for key in ("step", "forward"))
        rates = f"{len(batch) / step:14.0f}{len(batch) / forward:14.0f}"
        print(f"{name:24}{rates}{reference / step:12.2f}")
    print(f"{'input pipeline':24}{len(batch) / statistics.median(data):14.0f}")


if __name__ == "__main__":
    main()
