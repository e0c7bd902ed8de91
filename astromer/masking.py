"""Which steps of a window are probed, and what the network sees of them.

BERT's recipe as Astromer 1 uses it (Donoso-Oliva et al. 2023, A&A 670, A54): of the
probed steps some stay the same, some show another step's magnitude, the rest are hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline_config import MaskingConfig

_TRAINING, _EVALUATION = 1, 2
_BLOCK = 4  # 64-bit numbers that Philox makes from one counter value


@dataclass(frozen=True)
class Probing:
    """The role of every step. All arrays are bool [num_windows, window_size].

    Attributes:
        observed: a real step, not padding.
        probed: scored against its true magnitude; ``same``, ``random`` and ``hidden`` divide it.
        same: probed, but the network sees the true magnitude.
        random: probed, and the network sees the magnitude of step ``donor``.
        hidden: probed, and the network sees no magnitude.
        donor: int64 [num_windows, window_size]; for a ``random`` step a truthful step, so that no
            hidden magnitude leaks; elsewhere the step itself.
    """

    observed: np.ndarray
    probed: np.ndarray
    same: np.ndarray
    random: np.ndarray
    hidden: np.ndarray
    donor: np.ndarray

    @property
    def visible(self) -> np.ndarray:
        """Steps whose magnitude slot the network sees (true or replaced)."""
        return self.observed & ~self.hidden

    @property
    def truthful(self) -> np.ndarray:
        """Visible steps that show their own magnitude."""
        return self.visible & ~self.random


def mask_seed(seed: int, epoch: int | None = None) -> list[int]:
    """What the draws of a training epoch depend on, or those of evaluation (``None``).

    The words are equally many in both cases, so that no epoch shares its masks with evaluation.
    """
    return [seed, 0, _EVALUATION] if epoch is None else [seed, epoch, _TRAINING]


def counts(lengths: np.ndarray, masking: MaskingConfig) -> tuple[np.ndarray, ...]:
    """Numbers of (probed, same, random) steps in windows of the given lengths.

    probed = floor(p n); same = ceil(s probed); random = ceil(r (probed - same)).
    """
    # The tiny shift keeps 0.2 * 35 = 7.000000000000001 from being rounded up to 8.
    probed = np.floor(masking.probed * lengths + 1e-9).astype(np.int64)
    same = np.ceil(masking.same * probed - 1e-9).astype(np.int64)
    random = np.ceil(masking.random * (probed - same) - 1e-9).astype(np.int64)
    # With no truthful step left there is no magnitude to lend.
    return probed, same, np.where(lengths - probed + same > 0, random, 0)


def draw(
    lengths: np.ndarray, window_size: int, masking: MaskingConfig, *, seed: list[int], first: int
) -> Probing:
    """Draws the roles of a run of windows.

    The draw of a window depends on ``seed`` and its number alone, never on the batch that it
    comes in: window ``first + i`` gets the same roles whatever the batch size.

    Args:
        lengths: int64 [num_windows], observed steps of each window.
        window_size: width of the arrays that are returned.
        masking: fractions.
        seed: what the draw depends on, for instance [seed, epoch].
        first: number of the first window within its epoch.
    """
    rows, column = len(lengths), np.arange(window_size)[None, :]
    observed = column < lengths[:, None]
    keys = np.where(observed, _keys(rows, window_size, seed, first), np.uint64(2**64 - 1))
    order = np.argsort(keys, axis=1, kind="stable")  # observed steps first, shuffled

    probed_count, same_count, random_count = (c[:, None] for c in counts(lengths, masking))
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(column, order.shape), axis=1)
    probed = rank < probed_count
    same = rank < same_count
    random = probed & ~same & (rank < same_count + random_count)
    # The ranks are random already, so the truthful steps lend in the order of theirs:
    # first those ranked after the probed ones, then the same ones, then again.
    others = lengths[:, None] - probed_count
    turn = np.where(random, (rank - same_count) % np.maximum(others + same_count, 1), 0)
    lender = np.where(random, np.where(turn < others, probed_count + turn, turn - others), 0)
    donor = np.where(random, np.take_along_axis(order, lender, axis=1), column)
    return Probing(observed, probed, same, random, probed & ~same & ~random, donor)


def nothing_probed(lengths: np.ndarray, window_size: int) -> Probing:
    """Every observed step visible, as for embedding."""
    observed = np.arange(window_size)[None, :] < lengths[:, None]
    nothing = np.zeros_like(observed)
    donor = np.broadcast_to(np.arange(window_size), observed.shape)
    return Probing(observed, nothing, nothing, nothing, nothing, donor)


def _keys(rows: int, window_size: int, seed: list[int], first: int) -> np.ndarray:
    """uint64 [rows, window_size]: counter-based, so that any window can be drawn by itself."""
    blocks = -(-window_size // _BLOCK)
    generator = np.random.Philox(np.random.SeedSequence(seed))
    generator.advance(first * blocks)
    return generator.random_raw(rows * blocks * _BLOCK).reshape(rows, -1)[:, :window_size]
