"""Which stars train, validate and test: every class in its proportion everywhere."""

from __future__ import annotations

import numpy as np

from astromer.records.fold import SPLITS
from astromer.records.synthetic.config import SurveyConfig
from astromer.records.synthetic.survey import label_of
from astromer.system.errors import UsageError

_DIVISION_STREAM = 3


def divide(config: SurveyConfig) -> list[str]:
    """The split of each star, 'train', 'validation' or 'test', stratified by class.

    Raises:
        UsageError: the fractions leave no stars to train on, or there are too few stars for them.
    """
    if config.val_frac + config.test_frac >= 1:
        raise UsageError(
            "--val-frac and --test-frac must leave stars to train on. Received: "
            f"{config.val_frac} and {config.test_frac}."
        )
    labels = np.array([label_of(index) for index in range(config.curves)])
    rng = np.random.default_rng([config.seed, _DIVISION_STREAM])
    by_class = np.lexsort((rng.random(len(labels)), labels))
    shares = np.array([1 - config.val_frac - config.test_frac, config.val_frac, config.test_frac])
    division = [""] * len(labels)
    counts = np.zeros(len(SPLITS))
    # Along the stars sorted by class, the split that lags most behind its share is next: at
    # every point, so within every class, the counts are within a star or two of the shares.
    for position, star in enumerate(by_class, start=1):
        behind = int(np.argmax(shares * position - counts))
        counts[behind] += 1
        division[star] = SPLITS[behind]
    empty = [split for split, count in zip(SPLITS, counts) if not count]
    if empty:
        raise UsageError(
            f"{config.curves} stars leave none for {' and '.join(empty)} at --val-frac "
            f"{config.val_frac} and --test-frac {config.test_frac}. Give more --curves."
        )
    return division
