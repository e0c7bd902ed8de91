"""Time per light curve and peak memory of making, reading and validating records.

    python tools/benchmarks/validation.py [--curves 20000 200000] [--observations 200]

Every row is a process of its own, started anew, with the same synthetic survey in raw Parquet
and the records made of it. Times are those of the work alone, without starting Python and
loading libraries; memory is the process's highest resident size. The last row is what
TensorFlow Data Validation takes for its statistics of the same records.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from argparse import SUPPRESS
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from astromer.commands.cli import Parser, run_program

_CURVES_PER_SHARD = 10_000


def make_survey(folder: Path, curves: int, observations: int) -> None:
    """Writes sinusoids with noise in the raw Parquet layout, shard by shard."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "light_curves").mkdir(parents=True)
    numbers = np.arange(curves)
    metadata = {
        "newID": numbers,
        "ID": [f"star-{number}" for number in numbers],
        "Class": np.array(["RRab", "EW", "Mira", "Cep_0"])[numbers % 4],
        "Band": ["V"] * curves,
        "Label": numbers % 4,
        "shard": numbers // _CURVES_PER_SHARD,
    }
    pq.write_table(pa.table(metadata), folder / "metadata.parquet")
    for shard, first in enumerate(range(0, curves, _CURVES_PER_SHARD)):
        ids = numbers[first : first + _CURVES_PER_SHARD]
        rng = np.random.default_rng(shard)
        shape = (len(ids), observations)
        mjd = 52000 + np.cumsum(rng.exponential(3.0, shape) + 0.01, axis=1)
        phase = 2 * np.pi * mjd / rng.uniform(0.3, 300, (len(ids), 1))
        mag = rng.uniform(12, 18, (len(ids), 1)) + 0.4 * np.sin(phase) + rng.normal(0, 0.03, shape)
        table = {
            "newID": np.repeat(ids, observations),
            "mjd": mjd.ravel(),
            "mag": mag.ravel().astype(np.float32),
            "errmag": rng.uniform(0.01, 0.1, shape).ravel().astype(np.float32),
        }
        name = f"shard_{shard:03d}.parquet"
        pq.write_table(pa.table(table), folder / "light_curves" / name, compression="zstd")


def make_records(folder: Path, njobs: int) -> Callable[[], object]:
    """create_records' work, with so many jobs."""
    from astromer.records import writer  # noqa: F401  loads TensorFlow
    from astromer.records.config import LightCurveRules, RecordsConfig
    from astromer.records.conversion import convert_survey
    from astromer.records.survey_config import default_config

    options, config = RecordsConfig(njobs=njobs), default_config(folder / "survey")
    output = folder / "records"
    rules = LightCurveRules()
    return lambda: convert_survey(config, options, rules, output, overwrite=True, progress=False)


def read(folder: Path) -> Callable[[], object]:
    """The reader alone."""
    from astromer.records.fold import Fold
    from astromer.records.reader import iterate_batches

    fold = Fold.open(folder / "records" / "fold_0")
    files = [file for paths in fold.files.values() for file in paths]
    return lambda: sum(len(batch) for batch in iterate_batches(files))


def validate(folder: Path) -> Callable[[], object]:
    """Every rule, the profiles and the report."""
    from astromer.records.fold import Fold
    from astromer.validation.fold_check import validate_fold
    from astromer.validation.output import write_validation

    fold = Fold.open(folder / "records" / "fold_0")

    def work() -> None:
        validation = validate_fold(fold, progress=False)
        write_validation(validation, folder / "report")

    return work


def validate_with_beam(folder: Path) -> Callable[[], object]:
    """Every rule and the profiles, as the component LightCurveValidator does it."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from astromer.records.config import LightCurveRules
    from astromer.records.fold import Fold
    from astromer.validation.config import ValidationConfig
    from components.validator.beam_pipeline import add_validation, read_results
    from pipeline_config import PipelineConfig

    fold = Fold.open(folder / "records" / "fold_0")
    options = PipelineOptions(list(PipelineConfig(data="").beam_args))

    def work() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as found:
            with beam.Pipeline(options=options) as pipeline:
                rules = ValidationConfig(), LightCurveRules()
                add_validation(pipeline, fold.files, *rules, Path(found))
            read_results(Path(found))

    return work


def tfdv_statistics(folder: Path) -> Callable[[], object]:
    """What StatisticsGen does with the records of the three splits."""
    import apache_beam as beam
    import tensorflow_data_validation as tfdv
    from apache_beam.options.pipeline_options import PipelineOptions
    from tfx_bsl.public.tfxio import TFSequenceExampleRecord

    from astromer.records.fold import Fold
    from pipeline_config import PipelineConfig

    fold = Fold.open(folder / "records" / "fold_0")
    options = PipelineOptions(list(PipelineConfig(data="").beam_args))

    def work() -> None:
        with beam.Pipeline(options=options) as pipeline:
            for split, files in fold.files.items():
                source = TFSequenceExampleRecord(
                    file_pattern=[str(file) for file in files], telemetry_descriptors=["benchmark"]
                )
                (
                    pipeline
                    | f"read {split}" >> source.BeamSource()
                    | f"statistics {split}" >> tfdv.GenerateStatistics()
                    | f"write {split}"
                    >> tfdv.WriteStatisticsToTFRecord(str(folder / f"{split}.statistics"))
                )

    return work


ROWS: dict[str, Callable[[Path], Callable[[], object]]] = {
    "create_records --njobs 1": lambda folder: make_records(folder, 1),
    "create_records --njobs 2": lambda folder: make_records(folder, 2),
    "create_records --njobs 4": lambda folder: make_records(folder, 4),
    "read the records": read,
    "validate and report": validate,
    "validate with Beam": validate_with_beam,
    "TFDV statistics": tfdv_statistics,
}


def measure(row: str, folder: Path) -> None:
    """Runs one row in this process and prints seconds and peak memory as JSON."""
    from astromer.system.logs import silence

    silence()
    work = ROWS[row](folder)
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak}))


def main() -> None:
    """Prints the table."""
    parser = Parser(prog="tools/benchmarks/validation.py", description=__doc__.split("\n")[0])
    parser.add_argument("--curves", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--observations", type=int, default=200)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), metavar="ROW")
    parser.add_argument("--folder", help="where survey and records go (default: temporary)")
    parser.add_argument("--measure", nargs=2, metavar=("ROW", "FOLDER"), help=SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure[0], Path(args.measure[1]))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as place:
        results = {}
        for curves in args.curves:
            folder = Path(place) / str(curves)
            make_survey(folder / "survey", curves, args.observations)
            for row in args.rows:
                results[row, curves] = _in_a_process(row, folder)
                print(f"{row}, {curves:,} curves: {results[row, curves]}", file=sys.stderr)
        print(_to_table(results, args.curves, args.rows))


def _in_a_process(row: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", row, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{row} failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _to_table(
    results: dict[tuple[str, int], dict[str, float]], sizes: list[int], rows: list[str]
) -> str:
    head = "".join(f"{f'{size:,} curves':>28}" for size in sizes)
    lines = [f"{'':26}{head}", f"{'':26}" + f"{'ms per curve':>16}{'peak MiB':>12}" * len(sizes)]
    for row in rows:
        numbers = "".join(
            f"{1e3 * results[row, size]['seconds'] / size:16.4f}"
            f"{results[row, size]['peak'] / 2**20:12.0f}"
            for size in sizes
        )
        growth = results[row, sizes[-1]]["peak"] / results[row, sizes[0]]["peak"]
        lines.append(f"{row:26}{numbers}   memory x {growth:.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_program(main)
