from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astromer.windows.config import MaskingConfig
from astromer.windows.masking import Probing, counts, draw, nothing_probed

FRACTIONS = [
    (0.5, 0.2, 0.2),
    (0.75, 0.1, 0.1),
    (0.15, 0.1, 0.1),
    (0.6, 0.35, 0.7),
    (0.3, 0.0, 0.0),
    (0.29, 0.07, 0.57),
    (1.0, 0.2, 0.2),
    (0.99, 0.0, 0.5),
    (0.0, 0.2, 0.2),
    (0.5, 1.0, 0.2),
    (0.5, 0.0, 1.0),
]
fractions = st.integers(0, 100).map(lambda percent: percent / 100)
maskings = (
    st.tuples(fractions, fractions, fractions)
    .filter(lambda shares: shares[:2] != (1.0, 0.0))  # refused: no step shows its magnitude
    .map(lambda shares: MaskingConfig(*shares))
)
lengths_arrays = st.lists(st.integers(1, 30), min_size=1, max_size=12).map(np.array)


def exact_counts(length: int, masking: MaskingConfig) -> tuple[int, int, int]:
    """The definition, in rational arithmetic."""
    share = {name: Fraction(str(getattr(masking, name))) for name in ("probed", "same", "random")}
    probed = math.floor(share["probed"] * length)
    same = math.ceil(share["same"] * probed)
    random = math.ceil(share["random"] * (probed - same))
    lenders = length - probed + same
    return probed, same, random if lenders else 0


@pytest.mark.parametrize("shares", FRACTIONS)
def test_counts_are_exact_for_every_length(shares: tuple[float, float, float]) -> None:
    masking = MaskingConfig(*shares)
    lengths = np.arange(1, 201)
    got = np.stack(counts(lengths, masking), axis=1).tolist()
    assert got == [list(exact_counts(n, masking)) for n in range(1, 201)]


@pytest.mark.parametrize("shares", FRACTIONS)
def test_drawn_roles_have_exactly_those_counts(shares: tuple[float, float, float]) -> None:
    masking = MaskingConfig(*shares)
    lengths = np.arange(1, 201)
    probing = draw(lengths, 200, masking, seed=[3], first=0)
    got = np.stack([probing.probed, probing.same, probing.random]).sum(axis=2).T.tolist()
    assert got == [list(exact_counts(n, masking)) for n in range(1, 201)]


@given(lengths_arrays, maskings, st.integers(0, 2**40))
def test_roles_partition_the_probed_steps(
    lengths: np.ndarray, masking: MaskingConfig, seed: int
) -> None:
    probing = draw(lengths, 30, masking, seed=[seed], first=5)
    assert (probing.observed.sum(axis=1) == lengths).all()
    assert (probing.observed == (np.arange(30) < lengths[:, None])).all()
    roles = [probing.same, probing.random, probing.hidden]
    assert (np.sum(roles, axis=0) == probing.probed).all()
    assert not (probing.probed & ~probing.observed).any()
    assert (probing.visible == (probing.observed & ~probing.hidden)).all()
    assert (probing.truthful == (probing.visible & ~probing.random)).all()


@given(lengths_arrays, maskings, st.integers(0, 2**40))
def test_donors_are_truthful_steps_of_the_window(
    lengths: np.ndarray, masking: MaskingConfig, seed: int
) -> None:
    probing = draw(lengths, 30, masking, seed=[seed], first=0)
    lends = np.take_along_axis(probing.truthful, probing.donor, axis=1)
    itself = probing.donor == np.arange(30)
    assert lends[probing.random].all()
    assert not itself[probing.random].any()
    assert itself[~probing.random].all()


@given(lengths_arrays, st.integers(0, 1000), st.integers(1, 7))
def test_roles_do_not_depend_on_the_batch(lengths: np.ndarray, first: int, batch_size: int) -> None:
    masking = MaskingConfig(0.5, 0.2, 0.4)
    whole = draw(lengths, 30, masking, seed=[1, 2], first=first)
    parts = [
        draw(lengths[i : i + batch_size], 30, masking, seed=[1, 2], first=first + i)
        for i in range(0, len(lengths), batch_size)
    ]
    for name in Probing.__dataclass_fields__.keys() - {"masking"}:
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert (getattr(whole, name) == joined).all(), name


@pytest.mark.parametrize("window_size", [1, 3, 20, 21, 22, 23, 200])
def test_window_sizes_that_are_no_multiple_of_the_generator_block(window_size: int) -> None:
    lengths = np.full(4, window_size)
    whole = draw(lengths, window_size, MaskingConfig(), seed=[1], first=0)
    third = draw(lengths[:1], window_size, MaskingConfig(), seed=[1], first=2)
    assert (whole.probed[2] == third.probed[0]).all()


@pytest.mark.parametrize("window_size", [1, 2, 20, 63, 64, 65, 200])
def test_the_order_is_that_of_the_generator_s_bits(window_size: int) -> None:
    """Epochs of a seed must stay what they are: a training that goes on draws the same masks."""
    lengths = np.array([window_size, max(window_size // 2, 1), 1])
    first, blocks = 3, -(-window_size // 4)
    generator = np.random.Philox(np.random.SeedSequence([5, 7]))
    bits = generator.random_raw((first + 3) * blocks * 4).reshape(first + 3, -1)[first:]
    masking = MaskingConfig(0.5, 0.2, 0.4)
    probing = draw(lengths, window_size, masking, seed=[5, 7], first=first)
    for row, length in enumerate(lengths):
        order = np.argsort(bits[row, :length]).tolist()
        probed, same, random = exact_counts(int(length), masking)
        lenders = order[probed:] + order[:same]
        assert np.flatnonzero(probing.probed[row]).tolist() == sorted(order[:probed])
        assert np.flatnonzero(probing.same[row]).tolist() == sorted(order[:same])
        replaced = order[same : same + random]
        assert np.flatnonzero(probing.random[row]).tolist() == sorted(replaced)
        lent = [lenders[turn % len(lenders)] for turn in range(random)]
        assert probing.donor[row][replaced].tolist() == lent


def test_the_draw_is_fixed_by_seed_and_window_number() -> None:
    lengths = np.full(50, 20)

    def hidden(seed: list[int], first: int = 0) -> np.ndarray:
        return draw(lengths, 20, MaskingConfig(), seed=seed, first=first).hidden

    assert (hidden([7, 1]) == hidden([7, 1])).all()
    assert (hidden([7, 1]) != hidden([7, 2])).any()
    assert (hidden([7, 1]) != hidden([8, 1])).any()
    assert (hidden([7, 1]) != hidden([7, 1], first=1)).any()
    assert len(np.unique(hidden([7, 1]), axis=0)) > 45, "windows of one batch share their masks"


def test_every_step_is_equally_likely_to_be_hidden_and_to_lend() -> None:
    lengths = np.full(20000, 20)
    probing = draw(lengths, 20, MaskingConfig(), seed=[11], first=0)
    # 10 probed: 2 same, 2 random, 6 hidden. Six sigma of a binomial.
    hidden = probing.hidden.mean(axis=0)
    assert np.abs(hidden - 0.3).max() < 6 * np.sqrt(0.3 * 0.7 / len(lengths))
    donors = np.bincount(probing.donor[probing.random], minlength=20) / probing.random.sum()
    assert np.abs(donors - 0.05).max() < 6 * np.sqrt(0.05 * 0.95 / probing.random.sum())


def test_lenders_are_not_repeated_while_there_are_enough() -> None:
    probing = draw(np.full(300, 20), 20, MaskingConfig(0.5, 0.2, 1.0), seed=[2], first=0)
    for donor, random in zip(probing.donor, probing.random):
        assert len(set(donor[random])) == random.sum() == 8


def test_nothing_probed_shows_every_observed_step() -> None:
    probing = nothing_probed(np.array([0, 3, 5]), 5)
    assert probing.visible.sum(axis=1).tolist() == [0, 3, 5]
    assert (probing.truthful == probing.observed).all()
    assert not probing.probed.any()
