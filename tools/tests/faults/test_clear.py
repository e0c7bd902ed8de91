"""Which endings count as clear."""

from __future__ import annotations

from tools.faults.clear import unclear
from tools.faults.run import Ended


def test_a_good_end_and_one_error_are_clear() -> None:
    assert unclear(Ended(0, "done", ""), (0, 14)) == []
    assert unclear(Ended(14, "", "error: full.\n"), (0, 14)) == []


def test_the_rest_is_not() -> None:
    for stderr, code in (
        ("error: full.\n", 1),
        ("", 14),
        ("error: a\nerror: b\n", 14),
        ("Traceback (most recent call last):\nerror: a\n", 14),
        ("error: Unexpected OSError: x\n", 14),
    ):
        assert unclear(Ended(code, "", stderr), (0, 14))
