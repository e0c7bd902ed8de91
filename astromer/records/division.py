"""Divides the stars of a survey into training, validation and test."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np

from astromer.records.fold import SPLITS
from astromer.system.errors import UsageError

TRAIN, VALIDATION, TEST = range(3)
UNUSED = -1


def divide_stars(
    stars: np.ndarray,
    classes: np.ndarray,
    usable: np.ndarray,
    fixed_test: np.ndarray,
    val_frac: float,
    test_frac: float,
    seed: tuple[int, ...],
) -> np.ndarray:
    """Gives each light curve the subset of its star.

    Each class is divided in the same proportions, to within one star. The result depends
    on the stars' numbers and classes and on the seed, not on the order of the rows.

    Args:
        stars: int64 [n], number of the star that each light curve belongs to.
        classes: str [n], class of each light curve.
        usable: bool [n], light curves that count; the others get UNUSED.
        fixed_test: bool [n], a star with any of these goes to the test as a whole. Where
            there is one, no other star goes there.
        val_frac, test_frac: fractions of the stars (of the others, with ``fixed_test``).
        seed: seed of the division.

    Returns:
        int8 [n], TRAIN, VALIDATION, TEST or UNUSED.

    Raises:
        UsageError: there are too few stars for three subsets.
    """
    rng = np.random.default_rng(seed)
    subset_of_star, remaining = _free_stars(stars, classes, usable, fixed_test, rng)
    fixed = bool((subset_of_star == TEST).any())
    needed = 2 if fixed else 3
    if len(remaining) < needed:
        raise UsageError(
            f"{len(remaining)} star(s) with usable light curves cannot be divided into "
            f"{', '.join(SPLITS[:needed])}: every subset needs at least one."
        )
    subset_of_star[remaining] = TRAIN
    num_test = 0 if fixed else _share(len(remaining), test_frac, leave=2)
    num_validation = _share(len(remaining), val_frac, leave=1 + num_test)
    for subset, count in ((TEST, num_test), (VALIDATION, num_validation)):
        chosen = _spread(len(remaining), count, rng)
        subset_of_star[remaining[chosen]] = subset
        remaining = np.delete(remaining, chosen)
    return np.where(usable, subset_of_star[stars], UNUSED).astype(np.int8)


def cross_validate(
    stars: np.ndarray,
    classes: np.ndarray,
    usable: np.ndarray,
    fixed_test: np.ndarray,
    val_frac: float,
    test_frac: float,
    seed: int,
    folds: int,
) -> np.ndarray:
    """Divides K times, for K-fold cross-validation: no star is tested on in two folds.

    The stars are dealt into K groups, each with the same share of every class to within one
    star. Fold k tests on stars of group k (on all of them where ``test_frac`` is 1/K or more)
    and validates on the next groups, so that two folds share validation stars only where
    ``val_frac`` is above 1/K. One fold is what :func:`divide_stars` gives.

    Args:
        stars, classes, usable, fixed_test, val_frac, test_frac: as for :func:`divide_stars`. Where
            there is a fixed test it is the test of every fold.
        seed: seed of the division.
        folds: K.

    Returns:
        int8 [K, n], TRAIN, VALIDATION, TEST or UNUSED.

    Raises:
        UsageError: there are too few stars for so many folds.
    """
    if folds == 1:
        only = divide_stars(stars, classes, usable, fixed_test, val_frac, test_frac, (seed, 0))
        return only[np.newaxis]
    rng = np.random.default_rng((seed, 0))
    subset_before, free = _free_stars(stars, classes, usable, fixed_test, rng)
    fixed = bool((subset_before == TEST).any())
    count = len(free)
    groups = [free[first::folds] for first in range(folds)]
    largest_test = 0 if fixed else len(groups[0])
    if count < folds or count - largest_test < 2:
        raise UsageError(
            f"{count} star(s) with usable light curves cannot be divided into {folds} folds: each "
            "needs stars of its own, and every subset at least one. Give fewer --folds."
        )
    divisions = []
    for number in range(folds):
        own = groups[number]
        num_test = 0
        if not fixed:
            share = max(1, round(count * fold_test_fraction(test_frac, folds)))
            num_test = len(own) if covers_all(test_frac, folds) else min(share, len(own))
        test = own[_spread(len(own), num_test, rng)]
        others = [groups[(number + step) % folds] for step in range(1, folds)]
        rest = np.setdiff1d(own, test, assume_unique=True)
        # Without tests of its own, a fold's own group is the first to validate on.
        candidates = [own, *others] if fixed else [*others, rest]
        num_validation = _share(count, val_frac, leave=1 + num_test)
        subset_of_star = subset_before.copy()
        subset_of_star[free] = TRAIN
        subset_of_star[test] = TEST
        subset_of_star[_take(candidates, num_validation, rng)] = VALIDATION
        divisions.append(np.where(usable, subset_of_star[stars], UNUSED).astype(np.int8))
    return np.stack(divisions)


def fold_test_fraction(test_frac: float, folds: int) -> float:
    """The fraction of the stars that each fold tests on: no more than 1/K."""
    return test_frac if folds == 1 else min(test_frac, 1 / folds)


def covers_all(test_frac: float, folds: int) -> bool:
    """Whether every star is tested on in one of the folds."""
    return folds > 1 and folds * test_frac > 1 - 1e-9


def _free_stars(
    stars: np.ndarray,
    classes: np.ndarray,
    usable: np.ndarray,
    fixed_test: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The stars to be divided.

    Returns:
        int8 [stars], TEST for those fixed there, else UNUSED; and int64, the other stars,
        those of a class together, shuffled within it.
    """
    subset_of_star = np.full(int(stars.max(initial=-1)) + 1, UNUSED, np.int8)
    subset_of_star[np.unique(stars[usable & fixed_test])] = TEST
    # A star's class is the first, in alphabetical order, that its curves have.
    order = np.lexsort((classes, stars))
    order = order[usable[order] & (subset_of_star[stars[order]] == UNUSED)]
    free, first = np.unique(stars[order], return_index=True)
    shuffled = rng.permutation(len(free))
    by_class = shuffled[np.argsort(classes[order][first][shuffled], kind="stable")]
    return subset_of_star, free[by_class]


def _take(groups: list[np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` stars of the groups in turn, spread over the last one that is needed."""
    taken = [np.empty(0, np.int64)]
    for group in groups:
        some = group[_spread(len(group), min(count, len(group)), rng)]
        taken.append(some)
        count -= len(some)
    return np.concatenate(taken)


def _share(total: int, fraction: float, leave: int) -> int:
    return int(np.clip(round(total * fraction), 1, total - leave))


def _spread(total: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` of ``total`` positions at equal distances from a random start.

    Along a list sorted by class this takes the same share of every class.
    """
    if count == 0:
        return np.empty(0, np.int64)
    return ((np.arange(count) + rng.random()) * total / count).astype(np.int64)


_BAND_SEPARATORS = "_-. "
"""Some surveys name each band of a star: STAR_R and STAR_B are one star."""


def star_name(name: str, band: str) -> str:
    """The name without its band at the end."""
    if band and name.endswith(band) and name[: -len(band)].endswith(tuple(_BAND_SEPARATORS)):
        return name[: -len(band) - 1]
    return name


def star_key(name: str, band: str) -> str:
    """What a star's names have in common, however they are written; "" for no name.

    Case, spaces around the name, their number inside it and zeros before a number do not
    count: ``"lmc-7 "`` is ``"LMC-7"``, and ``"0077"`` the integer 77.
    """
    key = star_name(_plain(name), _plain_band(band))
    return (key.lstrip("0") or "0") if key.isdecimal() else key


def _plain(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


_plain_band = lru_cache(maxsize=256)(_plain)
