"""Light curves embedded per second: with the pushed model, one by one, and by onnxruntime.

    python tools/benchmarks/embedding.py [--curves 512] [--rounds 3]

Models have random weights: speed does not depend on them. The ways take turns within the same
process, with the same number of threads; "ratio" is to the encoder called once per light curve,
in the same turns. "CPU ratio" is that of light curves per second of processor time, which says
more on a machine that others use. "full" light curves have 200 observations, one window each;
"mixed" ones 20 to 1000, log-uniform; "asas" ones 454 over 2,500 days, searched for periods up to
10 cycles a day: there the ratio is to the search alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from astromer.commands.cli import Parser, run_program
from astromer.encoder.config import EncoderConfig

SIZES = {
    "documented defaults": EncoderConfig(),
    "2 layers of 64": EncoderConfig("astromer_v2", 64, 2, 2),
}
MAKE_RUN = EncoderConfig("astromer_phase", 64, 2, 2)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="tools/benchmarks/embedding.py", description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=512, help="light curves (default: 512)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that count (default: 3)")
    return parser.parse_args(arguments)


def main() -> None:
    """Prints the table."""
    args = parse()

    from astromer.system.logs import silence

    silence()
    import numpy as np
    import tensorflow as tf

    from astromer.system.parallel import cores
    from tools.benchmarks.sections.embedding_ways import report_periods, report_size

    threads = cores()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    mixed = np.exp(np.random.default_rng(1).uniform(np.log(20), np.log(1000), args.curves))
    lengths = {"full": np.full(args.curves, 200), "mixed": mixed.astype(int)}
    print(f"{args.curves} light curves, {threads} threads, median of {args.rounds}")
    print(f"{'size':22}{'curves':8}{'way':26}{'curves/s':>10}{'ratio':>8}{'CPU ratio':>11}")
    for name, config in SIZES.items():
        report_size(name, config, lengths, args.rounds, threads)
    report_periods("`make run`, periods", MAKE_RUN, args.curves, args.rounds)


if __name__ == "__main__":
    run_program(main)
