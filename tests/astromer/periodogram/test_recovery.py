"""Known periods and those found, with fractions computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.periodogram.curve_periods import period_recovery

NAN = float("nan")
SIDEREAL = 1.00273790935


@pytest.mark.parametrize(
    ("period", "frequency", "exact", "related"),
    [
        (0.5, 2.0, True, True),
        (0.5, 1 / (0.5 * 1.0099), True, True),
        (0.5, 1 / (0.5 * 0.9901), True, True),
        (0.5, 1 / (0.5 * 1.0101), False, False),
        (0.5, 1 / (0.5 * 0.9899), False, False),
        (0.5, 4.0, False, True),  # half the period
        (0.5, 1.0, False, True),  # twice the period, and an alias
        (0.5, 3.0, False, True),  # f + 1
        (0.5, 6.0, False, False),  # a third of the period
        (0.5, 5.0, False, False),  # twice f, plus 1: two errors at once
        (4.0, 0.75, False, True),  # 1 - f
        (4.0, 1.25, False, True),  # 1 + f
        # f = 0.01/day: the sidereal alias is 0.27 f from the solar one, and each counts.
        (100.0, 1.01, False, True),
        (100.0, 0.01 + SIDEREAL, False, True),
        (100.0, SIDEREAL - 0.01, False, True),
        (100.0, 1.0114, False, False),  # undone, 0.0114 or 0.0087
        (100.0, 1.0, False, False),  # the nights themselves
        (1.0, 0.0, False, False),  # nothing was found: 0 + 1 is no alias
        (1.0, NAN, False, False),
        (1.0, np.inf, False, False),
    ],
)
def test_what_counts_as_found(period, frequency, exact, related):
    found = period_recovery(np.array([[frequency]]), np.array([period]))
    assert (found.exact_first, found.related_first) == (exact, related)
    assert (found.exact_any, found.related_any) == (exact, related)


def test_fractions_are_of_the_stars_whose_period_is_known():
    frequencies = np.array(
        [
            [2.0, 0.3, 0.0],  # known 0.5: the first
            [0.3, 2.0, 0.0],  # the second
            [4.0, 0.3, 2.0],  # half of it first, itself third
            [0.3, 0.7, 3.0],  # an alias third
            [0.3, 0.7, 0.0],  # nothing
            [2.0, 2.0, 2.0],  # unknown
            [2.0, 2.0, 2.0],  # no period
        ]
    )
    found = period_recovery(frequencies, np.array([0.5] * 5 + [NAN, -0.5]))
    assert found.to_dict() == {
        "stars": 5,
        "candidates": 3,
        "exact_first": 1 / 5,
        "exact_any": 3 / 5,
        "related_first": 2 / 5,
        "related_any": 4 / 5,
    }
    assert found.summary() == (
        "of 5 known periods 20.0% were found within 1%, 40.0% up to a factor of 2 or one alias "
        "(among 3 frequencies: 60.0% and 80.0%)"
    )


def test_without_known_periods_there_is_nothing_to_say():
    assert period_recovery(np.ones((2, 3)), np.full(2, NAN)) is None
    assert period_recovery(np.ones((0, 3)), np.ones(0)) is None


@pytest.mark.parametrize(("found", "known"), [((3,), 3), ((3, 2), 2), ((3, 0), 3)])
def test_arrays_of_other_stars_are_refused(found, known):
    with pytest.raises(ValueError, match=r"\[n, m\] and periods \[n\]"):
        period_recovery(np.ones(found), np.ones(known))
