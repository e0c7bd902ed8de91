"""Going back follows what the alias really named, whatever was written down and not done."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from astromer.serving.versions.history import (
    PROMOTE,
    ROLLBACK,
    Move,
    begin,
    earlier,
    mark_done,
    read_history,
    write_history,
)


def moves(*steps: tuple[str, str | None, str]) -> list[Move]:
    return [Move(action, before, after, 0.0) for action, before, after in steps]


def test_each_rollback_goes_one_further_back() -> None:
    journal = moves((PROMOTE, None, "1"), (PROMOTE, "1", "2"), (PROMOTE, "2", "3"))
    assert earlier(journal, "3") == ["2", "1"]
    journal += moves((ROLLBACK, "3", "2"))
    assert earlier(journal, "2") == ["1"]
    journal += moves((ROLLBACK, "2", "1"))
    assert earlier(journal, "1") == []


def test_a_version_that_was_named_twice_counts_where_it_was() -> None:
    journal = moves((PROMOTE, None, "1"), (PROMOTE, "1", "2"), (PROMOTE, "2", "1"))
    assert earlier(journal, "1") == ["2", "1"]
    assert earlier(journal + moves((ROLLBACK, "1", "2")), "2") == ["1"]


def test_a_move_that_was_not_made_is_passed_over() -> None:
    journal = moves((PROMOTE, None, "1"), (PROMOTE, "1", "2"), (PROMOTE, "1", "3"))
    assert earlier(journal, "3") == ["1"]
    assert earlier(moves((PROMOTE, None, "1"), (PROMOTE, "1", "2")), "1") == []
    assert earlier(moves((PROMOTE, None, "1"), (ROLLBACK, "1", "0")), "1") == []


def test_a_change_by_hand_is_gone_back_from() -> None:
    journal = [Move(PROMOTE, None, "1", 0.0, True), Move(PROMOTE, "1", "2", 0.0, True)]
    assert earlier(journal, "9") == ["2", "1"]


@given(st.lists(st.tuples(st.sampled_from("pr"), st.integers(1, 4), st.booleans()), max_size=30))
def test_it_is_a_stack_whatever_was_interrupted(steps: list[tuple[str, int, bool]]) -> None:
    journal: list[Move] = []
    stack: list[str] = ["0"]
    for action, number, made in steps:
        before = stack[-1]
        if action == "p":
            journal += moves((PROMOTE, before, str(number)))
            if made and before != str(number):
                stack.append(str(number))
        elif len(stack) > 1:
            journal += moves((ROLLBACK, before, stack[-2]))
            if made:
                stack.pop()
    assert earlier(journal, stack[-1]) == stack[:-1][::-1]


def test_a_journal_that_cannot_be_read_is_begun_anew(tmp_path) -> None:
    begin(tmp_path, PROMOTE, None, "1")
    assert [move.done for move in read_history(tmp_path)] == [False]
    mark_done(tmp_path)
    assert [move.done for move in read_history(tmp_path)] == [True]
    for text in ("", "{", "[1]", '[{"other": 1}]', "\x80"):
        (tmp_path / ".versions" / "history.json").write_bytes(text.encode("latin-1"))
        assert read_history(tmp_path) == []
    begin(tmp_path, PROMOTE, "1", "2")
    assert len(read_history(tmp_path)) == 1


def test_it_stays_small(tmp_path) -> None:
    write_history(tmp_path, moves(*((PROMOTE, None, str(number)) for number in range(250))))
    begin(tmp_path, PROMOTE, "249", "250")
    found = read_history(tmp_path)
    assert (len(found), found[-1].after) == (200, "250")
