from __future__ import annotations

import numpy as np

from astromer.validation.repeats import repeated_observations


def pairs(mjd, mag, curve) -> list[tuple[int, int]]:
    mag, curve = np.array(mag, np.float32), np.array(curve)
    first, second = repeated_observations(np.array(mjd, np.float64), mag, curve)
    return list(zip(first.tolist(), second.tolist(), strict=True))


def test_equal_times_of_one_light_curve_are_repeats():
    assert pairs([0.1, 0.2, 0.2, 0.3], [1, 2, 3, 4], [0] * 4) == [(1, 2)]
    assert pairs([0.2, 0.1, 0.2], [1, 2, 3], [0] * 3) == [(0, 2)]
    assert pairs([0.1, 0.2, 0.2], [1, 2, 2], [0, 0, 1]) == []
    assert pairs([np.nan, np.nan, np.inf, np.inf], [1] * 4, [0] * 4) == []
    assert pairs([], [], []) == []


def test_float32_times_may_coincide_unless_the_magnitudes_do():
    exact = 59000.2 + np.arange(4) / 1000
    rounded = exact.astype(np.float32).astype(np.float64)
    assert len(set(rounded.tolist())) < 4
    assert pairs(rounded, [1, 2, 3, 4], [0] * 4) == []
    same = np.flatnonzero(np.diff(rounded) == 0)[0]
    mags = [1, 2, 3, 4]
    mags[same + 1] = mags[same]
    assert pairs(rounded, mags, [0] * 4) == [(same, same + 1)]
    # Another light curve of the batch may have its times in full.
    both = np.concatenate([rounded, [0.1, 0.2, 0.2]])
    assert pairs(both, [1, 2, 3, 4, 5, 6, 7], [0] * 4 + [1] * 3) == [(5, 6)]


def test_a_copy_between_others_of_its_time_is_found():
    assert pairs([1.0, 1.0, 1.0], [5, 6, 5], [0] * 3) == [(0, 2)]
