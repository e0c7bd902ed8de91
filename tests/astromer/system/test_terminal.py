"""Colours and lines, as a terminal, a file and a user without colours get them."""

from __future__ import annotations

import io
import time

import pytest

from astromer.system import terminal
from astromer.system.terminal import progress_bar


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def make_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Standard output and error on one terminal. No fixture: pytest sets them after those."""
    shown = Screen()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return shown


def render(written: str) -> list[str]:
    """The lines that are to be seen in the end."""
    lines, column = [""], 0
    for part in written.replace("\x1b[K", "\0").replace("\x1b[A", "\1"):
        if part == "\n":
            lines.append("")
            column = 0
        elif part == "\r":
            column = 0
        elif part == "\0":
            lines[-1] = lines[-1][:column]
        else:
            assert part not in "\1\x1b", "moves that this screen does not know"
            lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    make_screen(monkeypatch)
    assert terminal.bold("a") == "\x1b[1ma\x1b[0m"
    assert terminal.bad("a") != terminal.good("a") != terminal.warn("a")
    assert terminal.bold("a", io.StringIO()) == "a"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_and_for_those_who_want_them(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    make_screen(monkeypatch)
    monkeypatch.setenv(name, value)
    assert terminal.bold("a") == "a"
    assert terminal.bad("a") == "a"


def test_what_passes_by_stays_below_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = make_screen(monkeypatch)
    terminal.show_status("Trainer ...")
    terminal.say("epoch 1")
    assert render(screen.getvalue()) == ["epoch 1", "Trainer ..."]
    terminal.show_status("")
    assert render(screen.getvalue()) == ["epoch 1", ""]


def test_nothing_passes_by_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    terminal.show_status("Trainer ...")
    terminal.show_status("")
    assert file.getvalue() == ""


def test_bars_and_lines_do_not_tear_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = make_screen(monkeypatch)
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    terminal.show_status("Trainer ...")
    with progress_bar(total=4, desc="reading", unit="curves") as bar:
        for step in range(4):
            now[0] += 0.7
            bar.update()
            drawn = render(screen.getvalue())[-1]
            assert drawn.startswith("reading" if now[0] > 1 else "Trainer"), now
            terminal.say(f"line {step}")
    assert render(screen.getvalue()) == [*(f"line {step}" for step in range(4)), "Trainer ..."]
    terminal.show_status("")
    assert render(screen.getvalue())[-1] == ""


def test_a_bar_fits_the_terminal_and_tells_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = make_screen(monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    with progress_bar(total=100, desc="epoch 12/100, all in 3.5 h", unit="step") as bar:
        bar.set_postfix_str("loss 0.1234", refresh=False)
        for _ in range(10):
            now[0] += 1
            bar.update()
        drawn = render(screen.getvalue())[-1]
        assert "10/100" in drawn
        assert "01:30" in drawn  # ETA
        assert "1.00 step/s" in drawn


def test_a_file_gets_whole_lines_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    with progress_bar(total=200, desc="reading", unit="curves") as bar:
        for _ in range(100):
            now[0] += 1
            bar.update()
            terminal.say("a result")
    lines = file.getvalue().splitlines()
    assert "\r" not in file.getvalue()
    assert 2 <= len(lines) <= 3
    assert lines[0].startswith("reading: 15%, 30 of 200 curves")
    assert lines[0].endswith("left")


def test_an_error_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = make_screen(monkeypatch)
    terminal.show_status("Trainer ...")
    terminal.say_error("it is broken.")
    assert screen.getvalue().endswith("\x1b[K\x1b[31merror:\x1b[0m it is broken.\n")


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
