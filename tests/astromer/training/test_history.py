from __future__ import annotations

import math

import numpy as np

from astromer.training.history import EpochHistory

ROWS = [{"epoch": 0, "a": 0.1, "b": 1 / 3}, {"epoch": 1, "a": 1e-300, "b": 2.0}]


def test_rows_come_back_bit_for_bit() -> None:
    history = EpochHistory()
    for row in ROWS:
        history.append(row)
    assert list(history) == ROWS
    assert (len(history), history[-1], history[1:]) == (2, ROWS[1], ROWS[1:])


def test_there_is_nothing_before_the_first_epoch() -> None:
    assert list(EpochHistory()) == []
    assert list(EpochHistory.from_values((), EpochHistory().values())) == []


def test_values_make_the_same_history() -> None:
    history = EpochHistory(ROWS)
    assert history.values().tolist() == [[0.1, 1 / 3], [1e-300, 2.0]]
    again = EpochHistory.from_values(history.metrics, history.values())
    again.append({"epoch": 2, "b": 4.0, "a": 3.0})
    assert list(again) == [*ROWS, {"epoch": 2, "a": 3.0, "b": 4.0}]
    assert list(history) == ROWS


def test_what_an_epoch_did_not_measure_is_nan() -> None:
    history = EpochHistory(ROWS)
    history.append({"epoch": 2, "b": 4.0, "c": 5.0})
    assert history.metrics == ("a", "b", "c")
    missing = np.isnan(history.values())
    assert missing.tolist() == [[False, False, True], [False, False, True], [True, False, False]]
    assert math.isnan(history[0]["c"])
    assert (history[1]["a"], history[2]["b"], history[2]["c"]) == (1e-300, 4.0, 5.0)
