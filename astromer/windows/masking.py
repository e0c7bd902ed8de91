"""Which steps of a window are probed, and what the network sees of them.

BERT's recipe as Astromer 1 uses it (Donoso-Oliva et al. 2023, A&A 670, A54): of the
probed steps some stay the same, some show another step's magnitude, the rest are hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astromer.windows.config import MaskingConfig

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
        masking: the fractions that it was drawn with.
    """

    observed: np.ndarray
    probed: np.ndarray
    same: np.ndarray
    random: np.ndarray
    hidden: np.ndarray
    donor: np.ndarray
    masking: MaskingConfig = MaskingConfig()

    @property
    def visible(self) -> np.ndarray:
        """Steps whose magnitude slot the network sees (true or replaced)."""
        return self.observed & ~self.hidden

    @property
    def truthful(self) -> np.ndarray:
        """Visible steps that show their own magnitude."""
        return self.visible & ~self.random


def mask_seed(seed: int, epoch: int | None = None) -> list[int]:
    """The seed of a training epoch's masks, or of evaluation's (``None``); never the same."""
    return [seed, 0, _EVALUATION] if epoch is None else [seed, epoch, _TRAINING]


def counts(lengths: np.ndarray, masking: MaskingConfig) -> tuple[np.ndarray, ...]:
    """Numbers of (probed, same, random) steps in windows of the given lengths.

    probed = floor(p n); same = ceil(s probed); random = ceil(r (probed - same)).
    """
    # The tiny shift keeps 0.2 * 35 = 7.000000000000001 from being rounded up to 8.
    probed = np.floor(masking.probed * lengths + 1e-9).astype(np.int64)
    same = np.ceil(masking.same * probed - 1e-9).astype(np.int64)
    random = np.ceil(masking.random * (probed - same) - 1e-9).astype(np.int64)
    # Without a truthful step there is no donor.
    return probed, same, np.where(lengths - probed + same > 0, random, 0)


def draw(
    lengths: np.ndarray,
    window_size: int,
    masking: MaskingConfig,
    *,
    seed: list[int],
    first: int | np.ndarray,
) -> Probing:
    """Draws the roles of windows.

    The draw of a window depends on ``seed`` and its number alone, whatever the batch.

    Args:
        lengths: int64 [num_windows], observed steps of each window.
        window_size: width of the arrays that are returned.
        masking: fractions.
        seed: from :func:`mask_seed`.
        first: number within its epoch of the first window, where they follow each other; or int64
            [num_windows], that of each.
    """
    rows, column = len(lengths), np.arange(window_size)
    observed = column < lengths[:, None]
    probed_count, same_count, random_count = counts(lengths, masking)

    keys = _keys(observed, seed, first)
    ranked = np.sort(keys, axis=1)  # observed steps first, shuffled
    probed = _below(keys, ranked, probed_count)
    same = _below(keys, ranked, same_count)
    random = _below(keys, ranked, same_count + random_count) & ~same

    # The ranks are random already, so the truthful steps are donors in the order of theirs: first
    # those ranked after the probed ones, then the same ones, then again.
    others = lengths - probed_count
    row = np.repeat(np.arange(rows), random_count)
    number = np.arange(len(row)) - np.repeat(np.cumsum(random_count) - random_count, random_count)
    turn = number % (others + same_count)[row]
    donor_rank = np.where(turn < others[row], probed_count[row] + turn, turn - others[row])
    donor = np.tile(column, (rows, 1))
    donor[row, _step(ranked[row, same_count[row] + number], window_size)] = _step(
        ranked[row, donor_rank], window_size
    )
    hidden = probed & ~same & ~random
    return Probing(observed, probed, same, random, hidden, donor, masking)


def nothing_probed(lengths: np.ndarray, window_size: int) -> Probing:
    """Every observed step visible, as for embedding."""
    observed = np.arange(window_size)[None, :] < lengths[:, None]
    nothing = np.zeros_like(observed)
    donor = np.broadcast_to(np.arange(window_size), observed.shape)
    masking = MaskingConfig(probed=0)
    return Probing(observed, nothing, nothing, nothing, nothing, donor, masking)


def _keys(observed: np.ndarray, seed: list[int], first: int | np.ndarray) -> np.ndarray:
    """uint64, shape of ``observed``: random bits over the number of the step, padding highest.

    The generator is counter-based, so that any window can be drawn alone. The number breaks ties
    between equal bits and gives each key's position after a sort, which is five times as fast as
    an argsort.
    """
    rows, window_size = observed.shape
    blocks = -(-window_size // _BLOCK)
    if isinstance(first, np.ndarray):
        runs = [_random_bits(seed, int(number) * blocks, blocks) for number in first]
        bits_of_rows = np.concatenate([np.empty(0, np.uint64), *runs])
    else:
        bits_of_rows = _random_bits(seed, first * blocks, rows * blocks)
    keys = bits_of_rows.reshape(rows, blocks * _BLOCK)[:, :window_size]
    bits = _bits(window_size)
    keys >>= bits + np.uint64(1)  # one more, which padding has
    keys <<= bits
    keys |= np.arange(window_size, dtype=np.uint64)
    keys |= (~observed).astype(np.uint64) << np.uint64(63)
    return keys


def _random_bits(seed: list[int], counter: int, blocks: int) -> np.ndarray:
    """uint64 [blocks * _BLOCK], random numbers from a value of the counter on."""
    generator = np.random.Philox(np.random.SeedSequence(seed))
    generator.advance(counter)
    return generator.random_raw(blocks * _BLOCK)


def _step(keys: np.ndarray, window_size: int) -> np.ndarray:
    """int64, the steps that keys belong to."""
    return (keys & ((np.uint64(1) << _bits(window_size)) - np.uint64(1))).astype(np.int64)


def _bits(window_size: int) -> np.uint64:
    return np.uint64((window_size - 1).bit_length())


def _below(keys: np.ndarray, ranked: np.ndarray, count: np.ndarray) -> np.ndarray:
    """bool, shape of ``keys``: the ``count`` steps of each row that come first."""
    last = np.take_along_axis(ranked, np.maximum(count - 1, 0)[:, None], axis=1)
    return keys < np.where(count > 0, last[:, 0] + np.uint64(1), np.uint64(0))[:, None]
