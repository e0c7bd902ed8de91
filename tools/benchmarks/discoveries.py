"""What embeddings find: neighbours of the same class, and planted odd objects among real stars.

    python tools/benchmarks/discoveries.py --embeddings asas.parquet --data asas --other sss

Neighbours: how many of the ten nearest share a star's class, by the embedding and by the classical
features. Planted: five odd objects and three artefacts are embedded and hidden among 2,000 stars,
with each seed; found is what is in the first hundredth of the ranking, and artefacts in their list.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from astromer.commands.cli import Parser, run_program
from tools.benchmarks.measuring.options import check_positive

if TYPE_CHECKING:
    from astromer.light_curves import LightCurve, LightCurves
    from astromer.serving.embedding_table import EmbeddingTable

_NEIGHBOURS = 10
_STARS = 2000
_FIRST = 0.01
_LEAST_IN_CLASS = 20

Maker = Callable[["LightCurve", np.random.Generator], "LightCurve"]


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="tools/benchmarks/discoveries.py", description=__doc__.split("\n")[0])
    parser.add_argument("--embeddings", required=True, metavar="FILE", help="table of the survey")
    parser.add_argument("--data", required=True, help="the survey, with classes")
    parser.add_argument("--other", required=True, help="a survey that one odd object is taken from")
    parser.add_argument("--seeds", type=int, default=5, help="of the planted objects (default: 5)")
    args = parser.parse_args(arguments)
    check_positive({"--seeds": args.seeds})
    return args


def main(arguments: list[str] | None = None) -> None:
    """Prints both tables."""
    args = parse(arguments)
    import astromer
    from astromer.serving.embedding_table import EmbeddingTable

    table = EmbeddingTable(args.embeddings)
    curves = astromer.read(args.data, quiet=True)
    where = {name: row for row, name in enumerate(curves.ids.tolist())}
    curves = curves.take(np.array([where[name] for name in table.ids.tolist()]))
    curves = replace(curves, class_names=table.column("class").astype(np.str_))
    print(neighbours_table(table, curves))
    print()
    print(planted_table(table, curves, astromer.read(args.other, quiet=True), args.seeds))


def neighbours_table(table: EmbeddingTable, curves: LightCurves) -> str:
    """Markdown: the share of neighbours of the same class, by class."""
    from astromer.finetuning.forest import classical_features

    names = curves.class_names
    features = classical_features(curves.sorted_by_time(), progress=True).astype(np.float64)
    spread = np.maximum(features.std(axis=0), 1e-9)
    classical = np.clip((features - features.mean(axis=0)) / spread, -5, 5)
    embedded = np.zeros((len(curves), table.space.scaled.shape[1]))
    embedded[table.space.usable] = table.space.scaled
    shares = [_same_class(vectors, names) for vectors in (embedded, classical)]
    lines = [
        "| class | stars | embedding | classical features |",
        "|---|---|---|---|",
        *(
            f"| {name or 'all'} | {chosen.sum()} | {shares[0][chosen].mean():.3f} | "
            f"{shares[1][chosen].mean():.3f} |"
            for name, chosen in [
                ("", np.ones(len(names), bool)),
                *((one, names == one) for one in sorted(set(names.tolist()))),
            ]
            if chosen.sum() >= _LEAST_IN_CLASS
        ),
    ]
    return "\n".join(lines)


def _same_class(vectors: np.ndarray, names: np.ndarray) -> np.ndarray:
    """float64 [num_curves], the share of the nearest that are of the same class."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=_NEIGHBOURS, algorithm="brute").fit(vectors)
    return np.asarray((names[found.kneighbors(return_distance=False)] == names[:, None]).mean(1))


def planted_table(
    table: EmbeddingTable, curves: LightCurves, other: LightCurves, seeds: int
) -> str:
    """Markdown: ranks of planted objects by seed, and which artefacts were told."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    import astromer
    from astromer.commands.embed import _table
    from astromer.explore.outliers import find_outliers
    from astromer.light_curves import LightCurves
    from astromer.serving.embedding_table import EmbeddingTable

    encoder = astromer.load()
    survey = pq.read_table(table.path)
    first = int(_FIRST * _STARS)
    lines = [
        f"| seed | {' | '.join(ODDITIES)} | found | {' | '.join(ARTEFACTS)} |",
        "|---" * (3 + len(ODDITIES) + len(ARTEFACTS) - 1) + "|",
    ]
    total = 0
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 17])
        planted = [make(_any(curves, rng), rng) for make in ODDITIES.values() if make]
        shuffled = _shuffled(curves, rng)
        planted = [*planted, shuffled, _any(other, rng)]
        planted += [make(_any(curves, rng), rng) for make in ARTEFACTS.values()]
        packed = LightCurves.from_curves(planted)
        found = encoder.embed_packed(packed, progress=False)
        rows = _table("", packed, found, np.zeros(len(packed), int), encoder.identity)
        chosen = np.sort(rng.choice(survey.num_rows, min(_STARS, survey.num_rows), replace=False))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "mixed.parquet"
            pq.write_table(pa.concat_tables([survey.take(chosen), rows.cast(survey.schema)]), file)
            outliers = find_outliers(EmbeddingTable(file))
        ranks = {int(row): rank for rank, row in enumerate(outliers.ranking, 1)}
        places = [ranks.get(len(chosen) + number) for number in range(len(ODDITIES))]
        told = outliers.artefact[len(chosen) + len(ODDITIES) :]
        hits = sum(place is not None and place <= first for place in places)
        total += hits
        cells: list[Any] = [seed, *(place or "artefact" for place in places), hits]
        lines.append(f"| {' | '.join(map(str, [*cells, *(one or 'ranked' for one in told)]))} |")
    lines.append(f"\n{total / seeds:.1f} of {len(ODDITIES)} in the first {first} on average")
    return "\n".join(lines)


def _any(curves: LightCurves, rng: np.random.Generator) -> LightCurve:
    return curves[int(rng.integers(len(curves)))]


def _with(curve: LightCurve, change: np.ndarray, rng: np.random.Generator) -> LightCurve:
    """A constant star at the times and with the errors of another, and a change in magnitudes."""
    errors = np.where(curve.errmag > 0, curve.errmag, 0.05)
    noise = rng.normal(0, 1, len(curve)) * errors
    mag = float(np.median(curve.mag)) + change + noise
    return replace(curve, mag=mag.astype(np.float32), errmag=errors.astype(np.float32))


def _event(curve: LightCurve, rng: np.random.Generator) -> np.ndarray:
    """Days since an observation in the middle part."""
    number = int(rng.uniform(0.2, 0.7) * len(curve))
    return np.asarray(curve.mjd - curve.mjd[number])


def _supernova(curve: LightCurve, rng: np.random.Generator) -> LightCurve:
    after, peak = _event(curve, rng), 10 ** (0.4 * rng.uniform(2, 4))
    rise, fall = rng.uniform(5, 12), rng.uniform(30, 80)
    flux = np.exp(np.where(after < 0, after / rise, -after / fall))
    return _with(curve, -2.5 * np.log10(1 + (peak - 1) * flux), rng)


def _changing_period(curve: LightCurve, rng: np.random.Generator) -> LightCurve:
    from astromer.records.synthetic.built_in_stars import RRAB_PHASES, RRAB_RATIOS, fourier_series

    share = (curve.mjd - curve.mjd[0]) / max(float(np.ptp(curve.mjd)), 1)
    gained = rng.choice([-1, 1]) * rng.uniform(1.5, 6) * share**2
    phase = (curve.mjd - curve.mjd[0]) / rng.uniform(0.4, 0.7) + gained
    wave = rng.uniform(0.5, 1.0) * fourier_series(phase, RRAB_RATIOS, RRAB_PHASES)
    return _with(curve, wave, rng)


def _r_crb(curve: LightCurve, rng: np.random.Generator) -> LightCurve:
    after, slow = _event(curve, rng), rng.uniform(60, 200)
    drop = np.where(after < 0, 0, 1 - np.exp(-np.maximum(after, 0) / 15))
    recovery = np.exp(-np.maximum(after - 60, 0) / slow)
    pulsation = 0.05 * np.sin(2 * np.pi * curve.mjd / 40)
    return _with(curve, rng.uniform(2, 5) * drop * recovery + pulsation, rng)


def _shuffled(curves: LightCurves, rng: np.random.Generator) -> LightCurve:
    rows = np.flatnonzero(curves.class_names == "RRab")
    curve = curves[int(rng.choice(rows))]
    order = rng.permutation(len(curve))
    return replace(curve, mag=curve.mag[order], errmag=curve.errmag[order])


def _daily(curve: LightCurve, rng: np.random.Generator) -> LightCurve:
    wave = np.sin(2 * np.pi * curve.mjd + rng.uniform(0, 6))
    return _with(curve, rng.uniform(0.15, 0.4) * wave, rng)


def _jump(curve: LightCurve, rng: np.random.Generator) -> LightCurve:
    later = np.arange(len(curve)) >= rng.uniform(0.25, 0.75) * len(curve)
    size = rng.choice([-1, 1]) * rng.uniform(0.5, 1.5)
    return replace(curve, mag=(curve.mag + later * size).astype(np.float32))


def _few(curve: LightCurve, rng: np.random.Generator) -> LightCurve:
    some = np.sort(rng.choice(len(curve), int(rng.integers(6, 15)), replace=False))
    return replace(curve, mjd=curve.mjd[some], mag=curve.mag[some], errmag=curve.errmag[some])


ODDITIES: dict[str, Maker | None] = {
    "supernova": _supernova,
    "changing period": _changing_period,
    "R CrB": _r_crb,
    "shuffled RRab": None,
    "other survey": None,
}
ARTEFACTS: dict[str, Maker] = {"period of a day": _daily, "jump": _jump, "few points": _few}

if __name__ == "__main__":
    run_program(lambda: main())
