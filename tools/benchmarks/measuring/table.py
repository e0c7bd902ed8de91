"""The table that the benchmarks print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One way to do one thing.

    Attributes:
        measurement, way: what was measured, and how it was done.
        rate: windows per second.
        processor_rate: windows per second of all processors together.
        peak: highest resident size of the way's process [bytes].
        flops: of the matrix products of a window, of the plain computation; 0 = there are none.
        share: of the rate of matrix products in the same turns; 0 = not measured.
        ratio, processor_ratio: to the plain way in the same turns.
    """

    measurement: str
    way: str
    rate: float
    processor_rate: float
    peak: float
    flops: float
    share: float
    ratio: float
    processor_ratio: float


HEAD = (
    f"{'':38}{'way':9}{'windows/s':>11}{'per CPU s':>11}{'MFLOP':>8}{'GFLOP/s':>9}"
    f"{'of product':>12}{'peak MiB':>10}{'ratio':>8}{'CPU ratio':>11}"
)
LEGEND = """\
bfloat16: the package with --precision mixed_bfloat16.
windows/s: median of the turns; per CPU s: for each second of all processors together.
MFLOP: of the matrix products of one full window in the plain computation (every step is a key,
  every block makes every step); GFLOP/s counts these, whether a way computes them or gets along
  without: it is no rate of the processor.
of product: beside matrix products of these sizes in the way's own precision, in the same turns, in
  the faster of two arrangements.
peak MiB: highest resident size of the way's process, TensorFlow included.
ratio: to the plain way, turn by turn; CPU ratio: the same for each second of the processors,
  which a busy machine changes less."""


def lines(rows: Sequence[Row]) -> list[str]:
    """The rows below :data:`HEAD`, a measurement's name once."""
    names = ["", *(row.measurement for row in rows)]
    return [
        _line("" if row.measurement == last else row.measurement, row)
        for last, row in zip(names, rows)
    ]


def _line(name: str, row: Row) -> str:
    speed = row.rate * row.flops
    share = f"{row.share:.0%}" if row.share else "-"
    return (
        f"{name:38}{row.way:9}{row.rate:11,.0f}{row.processor_rate:11,.0f}"
        f"{_or_dash(row.flops / 1e6):>8}{_or_dash(speed / 1e9):>9}{share:>12}"
        f"{_or_dash(row.peak / 2**20):>10}{row.ratio:8.2f}{row.processor_ratio:11.2f}"
    )


def _or_dash(value: float) -> str:
    return f"{value:,.0f}" if value else "-"
