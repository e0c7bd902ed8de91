from __future__ import annotations

import numpy as np

from astromer.reports.reconstructed_windows import sample_curves, sample_windows
from astromer.windows.batches import sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, mask_seed

MASKING = MaskingConfig()


def test_drawn_windows_hide_what_the_evaluation_hides(toy) -> None:
    curves = toy.curves([33, 20, 7, 55, 90])
    whole = sequential_windows(curves.offsets, 20)
    expected = draw(whole.length, 20, MASKING, seed=mask_seed(42), first=0)
    some = sample_windows(curves, 20, MASKING, 42, 5, 0)
    assert len(some.windows) == 5 < some.total == len(whole)
    for name in ("observed", "probed", "random", "hidden", "donor"):
        got, all_ = getattr(some.probing, name), getattr(expected, name)
        np.testing.assert_array_equal(got, all_[some.number])
    np.testing.assert_array_equal(some.windows.start, whole.start[some.number])


def test_the_draw_depends_on_its_seed_alone(toy) -> None:
    curves = toy.curves([20] * 200)
    one, again, other = (sample_windows(curves, 20, MASKING, 1, 30, s).number for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert set(one) != set(other)


def test_long_light_curves_are_drawn_in_smaller_numbers_but_never_none(toy) -> None:
    short, long = toy.curves([20] * 50), toy.curves([400] * 3)
    assert len(sample_curves(short, 20, 10, 0)) == 10
    assert len(sample_curves(short, 20, 100, 0)) == 50
    assert len(sample_curves(long, 20, 2, 0)) == 1
