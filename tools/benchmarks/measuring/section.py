"""Measurements that are made together: each way in a process of its own, in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from astromer.encoder.config import EncoderConfig
from tools.benchmarks.measuring.products import (
    best_product,
    describe_products,
    product_makers,
    product_turns,
)
from tools.benchmarks.measuring.table import Row
from tools.benchmarks.measuring.turns import Speed, take_turns
from tools.benchmarks.measuring.workers import Make, Worker, running

PLAIN, OURS, BFLOAT16 = "plain", "package", "bfloat16"
_PRECISIONS = {PLAIN: "float32", OURS: "float32", BFLOAT16: "mixed_bfloat16"}
Makers = Mapping[str, Make]


@dataclass(frozen=True)
class Section:
    """What takes turns.

    Attributes:
        makers: for the plain way and the package's (and, where it matters, the package's in
            bfloat16), what makes its measurements ready: names of measurements with the work of
            each. All have the same names.
        flops: of a window, by measurement; nothing where matrix products do not matter.
        product: sizes of the matrix products to compare with, if there are ``flops``.
    """

    makers: Makers
    flops: Mapping[str, float] = field(default_factory=dict)
    product: EncoderConfig | None = None

    def run(self, rounds: int) -> tuple[list[Row], list[str]]:
        """Measures; every process is a fork of this one, which must not have used TensorFlow.

        Returns:
            A row for each measurement and way, and lines of what else there is to say.
        """
        products = product_makers(self.product, self._precisions) if self.product else {}
        with running({**self.makers, **products}) as workers:
            speeds = {
                name: self._take_turns(name, workers, rounds) for name in workers[PLAIN].names
            }
            peaks = {way: workers[way].peak for way in self.makers}
        best, notes = {}, []
        if self.product is not None:
            together = _together([found for name, found in speeds.items() if name in self.flops])
            best = {precision: best_product(together, precision) for precision in self._precisions}
            notes = [describe_products(together, precision) for precision in self._precisions]
        if BFLOAT16 in self.makers:
            notes.append(_beside_float32(speeds))
        rows = [
            self._row(name, way, found, peaks[way], best)
            for name, found in speeds.items()
            for way in self.makers
        ]
        return rows, notes

    @property
    def _precisions(self) -> list[str]:
        return list(dict.fromkeys(_PRECISIONS[way] for way in self.makers))

    def _take_turns(
        self, measurement: str, workers: Mapping[str, Worker], rounds: int
    ) -> dict[str, Speed]:
        turns = {way: partial(workers[way].turn, measurement) for way in self.makers}
        if self.product is None or measurement not in self.flops:
            return take_turns(turns, rounds)
        return take_turns({**turns, **product_turns(workers, self._precisions)}, rounds)

    def _row(
        self,
        measurement: str,
        way: str,
        speeds: dict[str, Speed],
        peak: int,
        best: Mapping[str, str],
    ) -> Row:
        speed, product = speeds[way], speeds.get(best.get(_PRECISIONS[way], ""))
        ratio, processor_ratio = speed.over(speeds[PLAIN])
        flops = self.flops.get(measurement, 0.0)
        return Row(
            measurement,
            way,
            speed.median,
            speed.processor_median,
            peak,
            flops,
            flops * speed.over(product)[0] if product else 0.0,
            ratio,
            processor_ratio,
        )


def _together(found: Sequence[Mapping[str, Speed]]) -> dict[str, Speed]:
    """The turns of several measurements, by what was measured in each of them."""
    return {
        name: Speed(
            tuple(chain.from_iterable(speeds[name].wall for speeds in found)),
            tuple(chain.from_iterable(speeds[name].processor for speeds in found)),
        )
        for name in found[0]
    }


def _beside_float32(speeds: Mapping[str, Mapping[str, Speed]]) -> str:
    ratios = {name: found[BFLOAT16].over(found[OURS]) for name, found in speeds.items()}
    each = (f"{name} {wall:.2f} (CPU {cpu:.2f})" for name, (wall, cpu) in ratios.items())
    return f"bfloat16 over the package's float32: {'; '.join(each)}."
