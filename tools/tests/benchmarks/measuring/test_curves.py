from __future__ import annotations

import numpy as np

from astromer.records.reader import read_light_curves
from tools.benchmarks.measuring.curves import make_curves, mixed_lengths, write_records


def test_light_curves_have_the_lengths_and_rising_times() -> None:
    curves = make_curves([3, 200, 1, 50])
    assert curves.lengths.tolist() == [3, 200, 1, 50]
    for number in range(4):
        assert (np.diff(curves[number].mjd) > 0).all()
        assert curves[number].mjd[0] == 50000
    assert (curves.errmag > 0).all()


def test_half_of_the_mixed_lengths_are_below_sixty() -> None:
    lengths = mixed_lengths(4000)
    assert lengths.min() == 20
    assert lengths.max() == 200
    assert abs(np.median(lengths) - 60) < 3


def test_the_records_hold_the_light_curves(tmp_path) -> None:
    curves = make_curves([3, 20, 7])
    files = write_records(curves, tmp_path / "records", per_file=2)
    assert [file.name for file in files] == ["0.record", "1.record"]
    read = read_light_curves(files)
    assert read.lengths.tolist() == [3, 20, 7]
    assert read.ids.tolist() == curves.ids.tolist()
    np.testing.assert_allclose(read.mjd, curves.mjd, atol=1e-8, rtol=0)
    assert (read.mag == curves.mag).all()
