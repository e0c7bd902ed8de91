"""The train step beside a plain implementation of the same mathematics.

    python benchmarks/train_step.py [--rounds 5] [--mixed]

Both train on the same batch in turn, in one process, between two measurements of what a
matrix product of these shapes reaches. FLOPs are those of the plain step (all steps as keys,
every window padded), so that a step which does less work shows as a higher rate.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from astromer.cli import Parser, run_program
from pipeline_config import EncoderConfig, MaskingConfig, TrainingConfig


def matrix_product(config: EncoderConfig, rows: int) -> tuple[Callable[[], object], float]:
    """A product of the projections' shape, and its FLOPs."""
    import numpy as np
    import tensorflow as tf

    left = tf.constant(np.random.default_rng(0).normal(size=(rows, config.d_model)), tf.float32)
    right = tf.constant(np.random.default_rng(1).normal(size=(config.d_model,) * 2), tf.float32)
    product = tf.function(lambda: tf.linalg.matmul(left, right)[0, 0])
    return lambda: product().numpy(), 2.0 * rows * config.d_model**2


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="benchmarks/train_step.py", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns that count (default: 5)")
    parser.add_argument(
        "--mixed", action="store_true", help="20 to 200 observations, half below 60, not all 200"
    )
    return parser.parse_args(arguments)


def main() -> None:
    """Prints the table."""
    args = parse()

    from astromer.logs import silence

    silence()
    import numpy as np
    import tensorflow as tf

    from astromer.training import Trainer
    from benchmarks.baseline import PlainModel, PlainTraining
    from benchmarks.measuring.curves import make_curves
    from benchmarks.measuring.products import training_flops
    from benchmarks.measuring.turns import seconds

    config, training = EncoderConfig(), TrainingConfig()
    lengths = np.full(training.batch_size, config.window_size)
    if args.mixed:
        drawn = np.random.default_rng(2).lognormal(np.log(60), 0.6, training.batch_size)
        lengths = np.clip(drawn, 20, config.window_size).astype(int)
    curves = make_curves(lengths)
    with tempfile.TemporaryDirectory() as folder:
        ours = Trainer(
            curves,
            curves,
            encoder=config,
            masking=MaskingConfig(),
            training=training,
            checkpoint_dir=Path(folder) / "checkpoints",
            log_dir=Path(folder) / "logs",
        )
        batch = next(ours._epoch(0).batches())
        plain = PlainTraining(PlainModel(config), training)
        inputs = [
            tf.constant(array)
            for array in (
                batch.times,
                batch.magnitudes,
                batch.probing.visible,
                batch.target,
                batch.probing.probed,
            )
        ]
        product, work = matrix_product(config, len(batch) * config.window_size)
        actions = {
            "plain": lambda: plain.step(*inputs).numpy(),
            "this package": lambda: ours.step(batch, 0).numpy(),
            "matrix product": product,
        }
        times: dict[str, list[float]] = {name: [] for name in actions}
        for turn in range(args.rounds + 1):
            for name, action in actions.items():
                taken = seconds(action)
                if turn:  # the first one compiles
                    times[name].append(taken)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    peak = work / medians["matrix product"]
    step = training_flops(config) * len(batch)
    print(
        f"{len(batch)} windows, median of {args.rounds} rounds; product: {peak / 1e9:.0f} GFLOP/s"
    )
    print(f"{'train step':16}{'windows/s':>12}{'GFLOP/s':>10}{'of the product':>16}{'ratio':>8}")
    for name in ("plain", "this package"):
        rate = step / medians[name]
        print(
            f"{name:16}{len(batch) / medians[name]:12.1f}{rate / 1e9:10.0f}{rate / peak:16.0%}"
            f"{medians['plain'] / medians[name]:8.2f}"
        )


if __name__ == "__main__":
    run_program(main)
