"""Every star is in one split, and every class in each of them by its share."""

from __future__ import annotations

from collections import Counter

import pytest

from astromer.records.synthetic.fold import SyntheticConfig, split_of_stars
from astromer.records.synthetic.survey import label_of
from astromer.system.errors import UsageError


def test_split_sizes_are_the_shares():
    counts = Counter(split_of_stars(SyntheticConfig(curves=1000, val_frac=0.3, test_frac=0.1)))
    assert counts["train"] == pytest.approx(600, abs=2)
    assert counts["validation"] == pytest.approx(300, abs=2)
    assert counts["test"] == pytest.approx(100, abs=2)


def test_every_class_has_its_share_of_every_split():
    division = split_of_stars(SyntheticConfig(curves=600))
    of_class = Counter(label_of(i) for i in range(600))
    counts = Counter((label_of(i), split) for i, split in enumerate(division))
    for label, total in of_class.items():
        for split, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
            assert counts[label, split] == pytest.approx(share * total, abs=2)


def test_the_seed_alone_decides():
    assert split_of_stars(SyntheticConfig(seed=5)) == split_of_stars(SyntheticConfig(seed=5))
    assert split_of_stars(SyntheticConfig(seed=5)) != split_of_stars(SyntheticConfig(seed=6))


def test_too_few_stars_and_fractions_without_training_stars_are_refused():
    with pytest.raises(UsageError, match=r"leave none for test"):
        split_of_stars(SyntheticConfig(curves=3, val_frac=0.4, test_frac=0.01))
    with pytest.raises(UsageError, match=r"0\.5 and 0\.5"):
        split_of_stars(SyntheticConfig(val_frac=0.5, test_frac=0.5))
