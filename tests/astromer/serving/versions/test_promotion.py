"""Promoted, rolled back, withdrawn and brought back, here and in a store."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astromer.serving.checksums import Differences, verify
from astromer.serving.versions import promotion
from astromer.serving.versions import promotion as withdrawal
from astromer.serving.versions.folder import aliased, newest, versions, withdrawn
from astromer.serving.versions.promotion import (
    PROMOTE,
    ROLLBACK,
    AliasChange,
    _begin,
    _mark_done,
    _write_history,
    earlier,
    earlier_versions,
    promote,
    read_alias_history,
    restore,
    rollback,
)
from astromer.system.errors import ModelError, OutputLockedError, UsageError
from astromer.system.storage.lock import locked


def names(found) -> list[str]:
    return [version.name for version in found]


def test_rollbacks_go_further_back_and_then_there_is_nothing(pushed, place) -> None:
    folder = pushed(place)
    assert rollback(folder) == ("2", [])
    assert rollback(folder) == ("1", [])
    with pytest.raises(ModelError, match="named before.*1, 2, 3: .*promote"):
        rollback(folder)
    assert aliased(folder) == folder / "1"


def test_a_rollback_passes_over_what_is_gone(pushed, place) -> None:
    folder = pushed(place)
    (folder / "2" / "saved_model.pb").unlink()
    assert names(earlier_versions(folder)) == ["1"]
    assert rollback(folder) == ("1", [])


def test_a_folder_from_before_there_was_an_alias_can_be_rolled_back(pushed, place) -> None:
    folder = pushed(place)
    (folder / "latest").unlink()
    for file in (folder / ".versions").iterdir():
        if file.is_file():
            file.unlink()
    promote(folder, "1")
    assert rollback(folder) == ("3", [])


def test_withdrawn_versions_are_out_of_sight_and_come_back_as_they_were(pushed, place) -> None:
    folder = pushed(place)
    assert promote(folder, "1", withdraw_newer=True) == ["2", "3"]
    assert names(versions(folder)) == ["1"]
    assert names(withdrawn(folder)) == ["2", "3"]
    assert newest(folder) == folder / "1"
    restore(folder, "3")
    assert names(versions(folder)) == ["1", "3"]
    assert verify(folder / "3") == Differences()
    assert aliased(folder) == folder / "1"
    assert not (folder / "withdrawn" / "3").exists()


def test_what_is_not_there_is_told(pushed, place) -> None:
    folder = pushed(place)
    rollback(folder, withdraw_newer=True)
    with pytest.raises(ModelError, match="3 of .*withdrawn. Restore it: .*restore 3"):
        promote(folder, "3")
    with pytest.raises(ModelError, match="version 7 of .*there is 1, 2"):
        promote(folder, "7")
    with pytest.raises(ModelError, match="version 2 of .*there is 3"):
        restore(folder, "2")


def test_a_withdrawal_in_a_store_that_was_cut_off_goes_on(pushed, store, monkeypatch) -> None:
    folder = pushed(store / "serving" / "astromer")
    copy = withdrawal.copy_tree

    class Killed(BaseException):
        pass

    def half(source, target) -> None:
        copy(source / "variables", target / "variables")
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(withdrawal, "copy_tree", half)
        with pytest.raises(Killed):
            rollback(folder, withdraw_newer=True)
    assert aliased(folder) == folder / "2"
    assert names(versions(folder)) == ["1", "2", "3"]  # the third is whole where it was
    assert withdrawn(folder) == []
    assert promote(folder, "2", withdraw_newer=True) == ["3"]
    assert verify(folder / "withdrawn" / "3") == Differences()


def test_another_process_is_waited_for(pushed, place) -> None:
    folder = pushed(place)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(folder / ".versions"):
            held.set()
            let_go.wait(20)
            time.sleep(0.2)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(20)
    let_go.set()
    promote(folder, "1")
    other.join()
    assert aliased(folder) == folder / "1"


def test_one_that_does_not_end_is_told(pushed, place, monkeypatch) -> None:
    folder = pushed(place)
    monkeypatch.setattr(promotion, "_LOCK_SECONDS", 0.1)
    with locked(folder / ".versions"), pytest.raises(OutputLockedError, match="in use by process"):
        promote(folder, "1")


def test_a_folder_that_cannot_be_written_is_told(tmp_path, pushed) -> None:
    folder = pushed(tmp_path / "serving")
    for file in (folder / ".versions").iterdir():
        file.unlink()
    (folder / ".versions").rmdir()
    (folder / ".versions").touch()
    with pytest.raises(UsageError, match="--model must be a folder that can be written"):
        promote(folder, "1")


def moves(*steps: tuple[str, str | None, str]) -> list[AliasChange]:
    return [AliasChange(action, before, after, 0.0) for action, before, after in steps]


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
    journal = [
        AliasChange(PROMOTE, None, "1", 0.0, True),
        AliasChange(PROMOTE, "1", "2", 0.0, True),
    ]
    assert earlier(journal, "9") == ["2", "1"]


@given(st.lists(st.tuples(st.sampled_from("pr"), st.integers(1, 4), st.booleans()), max_size=30))
def test_it_is_a_stack_whatever_was_interrupted(steps: list[tuple[str, int, bool]]) -> None:
    journal: list[AliasChange] = []
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
    _begin(tmp_path, PROMOTE, None, "1")
    assert [move.done for move in read_alias_history(tmp_path)] == [False]
    _mark_done(tmp_path)
    assert [move.done for move in read_alias_history(tmp_path)] == [True]
    for text in ("", "{", "[1]", '[{"other": 1}]', "\x80"):
        (tmp_path / ".versions" / "history.json").write_bytes(text.encode("latin-1"))
        assert read_alias_history(tmp_path) == []
    _begin(tmp_path, PROMOTE, "1", "2")
    assert len(read_alias_history(tmp_path)) == 1


def test_it_stays_small(tmp_path) -> None:
    _write_history(tmp_path, moves(*((PROMOTE, None, str(number)) for number in range(250))))
    _begin(tmp_path, PROMOTE, "249", "250")
    found = read_alias_history(tmp_path)
    assert (len(found), found[-1].after) == (200, "250")
