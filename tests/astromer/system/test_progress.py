from __future__ import annotations

import io
import time

import pytest

from astromer.system.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def slow(steps: int):
    for step in range(steps):
        time.sleep(0.3)
        yield step


def test_slow_work_on_a_terminal_shows_a_bar_there_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert list(progress_bar(slow(6), total=6, desc="reading")) == list(range(6))
    assert "reading" in terminal.getvalue()
    assert "6" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_quick_work_shows_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert list(progress_bar(range(3), desc="reading")) == [0, 1, 2]
    assert terminal.getvalue() == ""


def test_a_log_file_is_spared_short_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress_bar(slow(5), desc="reading")) == list(range(5))
    assert capsys.readouterr() == ("", "")


def test_a_disabled_bar_still_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(total=2, disable=True) as bar:
        bar.update()
    assert capsys.readouterr() == ("", "")
