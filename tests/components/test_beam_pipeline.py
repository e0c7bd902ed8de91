"""What Beam's workers leave comes back; code in its place does not run."""

from __future__ import annotations

import os
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from astromer.light_curves import LightCurve
from astromer.system.errors import RecordError
from astromer.validation.duplicates import Location, Match
from astromer.validation.fold_check import FileCheck, Violation
from astromer.validation.profile import SplitProfile
from components.validator.beam_pipeline import dumped, load_results


class Evil:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_results_come_back(tmp_path: Path) -> None:
    curve = LightCurve(np.arange(5.0), np.ones(5, np.float32), np.ones(5, np.float32), "a")
    check = FileCheck(1, 2, 3, [Violation("r", 1, "a", "d")], np.array([4]), examples={4: curve})
    check.profile = SplitProfile(1, 2, {"mag": np.arange(3)}, Counter({"RRab": np.int64(2)}), {})
    match = Match("leaked_star", Location(0, 1, 2, "a"), Location(1, 1, 2, "a"))
    (tmp_path / "file").write_bytes(dumped([check, match]))
    found, same = load_results(tmp_path / "file")
    assert same == match
    assert (found.violations, found.rejected.tolist()) == (check.violations, [4])
    np.testing.assert_array_equal(found.examples[4].mjd, curve.mjd)
    assert found.profile.classes == {"RRab": 2}


def test_code_is_not_run(tmp_path: Path) -> None:
    made = tmp_path / "made"
    for content in (pickle.dumps(Evil(made)), b"", b"\x80", dumped([1])[:-1]):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(RecordError, match="file must hold what a worker"):
            load_results(tmp_path / "file")
    assert not made.exists()
