"""Divides the stars of a survey into training, validation and test."""

from __future__ import annotations

import numpy as np

from astromer.errors import UsageError
from astromer.records.fold import SPLITS

TRAIN, VALIDATION, TEST = range(3)
UNUSED = -1


def check_fractions(val_frac: float, test_frac: float) -> None:
    """Raises UsageError for fractions that leave a subset empty."""
    if not (val_frac > 0 and test_frac > 0 and val_frac + test_frac < 1):
        raise UsageError(
            "--val-frac and --test-frac must be above 0 and their sum below 1, so that training, "
            f"validation and test all get light curves; got {val_frac} and {test_frac}."
        )


def divide(
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
    subset_of_star = np.full(int(stars.max(initial=-1)) + 1, UNUSED, np.int8)
    subset_of_star[np.unique(stars[usable & fixed_test])] = TEST
    fixed = bool((subset_of_star == TEST).any())
    # A star's class is the first, in alphabetical order, that its curves have.
    order = np.lexsort((classes, stars))
    order = order[usable[order] & (subset_of_star[stars[order]] == UNUSED)]
    free, first = np.unique(stars[order], return_index=True)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(free))
    by_class = shuffled[np.argsort(classes[order][first][shuffled], kind="stable")]
    remaining = free[by_class]

    needed = 2 if fixed else 3
    if len(remaining) < needed:
        raise UsageError(
            f"{len(remaining)} star(s) with usable light curves cannot be divided into "
            f"{', '.join(SPLITS[:needed])}: every subset needs at least one."
        )
    subset_of_star[free] = TRAIN
    num_test = 0 if fixed else _share(len(remaining), test_frac, leave=2)
    num_validation = _share(len(remaining), val_frac, leave=1 + num_test)
    for subset, count in ((TEST, num_test), (VALIDATION, num_validation)):
        chosen = _spread(len(remaining), count, rng)
        subset_of_star[remaining[chosen]] = subset
        remaining = np.delete(remaining, chosen)
    return np.where(usable, subset_of_star[stars], UNUSED).astype(np.int8)


def _share(total: int, fraction: float, leave: int) -> int:
    return int(np.clip(round(total * fraction), 1, total - leave))


def _spread(total: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` of ``total`` positions at equal distances from a random start.

    Along a list sorted by class this takes the same share of every class.
    """
    if count == 0:
        return np.empty(0, np.int64)
    return ((np.arange(count) + rng.random()) * total / count).astype(np.int64)
