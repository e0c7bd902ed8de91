"""Measurements that are made together: in one process, the package and the plain way in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.measuring.children import in_a_child
from benchmarks.measuring.table import Row
from benchmarks.measuring.turns import Speed, Way, take_turns
from pipeline_config import EncoderConfig

PLAIN, OURS = "plain", "package"
Makers = Mapping[str, Callable[[], Mapping[str, Way]]]


@dataclass(frozen=True)
class Section:
    """What is measured in one process.

    Attributes:
        makers: for the plain way and the package's, what makes its measurements ready: names of
            measurements with the work of each. Both have the same names.
        flops: of a window, by measurement; nothing where matrix products do not matter.
        product: sizes of the matrix product to compare with, if there are ``flops``.
    """

    makers: Makers
    flops: Mapping[str, float] = field(default_factory=dict)
    product: EncoderConfig | None = None

    def run(self, rounds: int, *, memory: bool = True) -> list[Row]:
        """Measures; every process is a fork of this one, which must not have used TensorFlow."""
        peaks = dict.fromkeys(self.makers, 0)
        if memory:
            for way, make in self.makers.items():
                _, peaks[way] = in_a_child(lambda make=make: _once(make))  # type: ignore[misc]
        speeds, _ = in_a_child(lambda: self._speeds(rounds))
        return [
            self._row(measurement, way, found, peaks[way])
            for measurement, found in speeds.items()
            for way in self.makers
        ]

    def _speeds(self, rounds: int) -> dict[str, dict[str, Speed]]:
        ready = {way: make() for way, make in self.makers.items()}
        product: dict[str, Way] = {}
        if self.product is not None:
            # Imported late: this module is loaded before TensorFlow.
            from benchmarks.measuring.products import matrix_product

            product = {"product": matrix_product(self.product)}
        return {
            name: take_turns({**{way: ready[way][name] for way in ready}, **product}, rounds)
            for name in next(iter(ready.values()))
        }

    def _row(self, measurement: str, way: str, speeds: dict[str, Speed], peak: int) -> Row:
        speed = speeds[way]
        ratio, processor_ratio = speed.over(speeds[PLAIN])
        flops, share = self.flops.get(measurement, 0.0), 0.0
        if "product" in speeds:
            share = flops * speed.over(speeds["product"])[0]
        return Row(
            measurement,
            way,
            speed.median,
            speed.processor_median,
            peak,
            flops,
            share,
            ratio,
            processor_ratio,
        )


def _once(make: Callable[[], Mapping[str, Way]]) -> None:
    for way in make().values():
        way()
