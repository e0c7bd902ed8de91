from __future__ import annotations

import pytest

from astromer.progress import progress_bar


def test_a_bar_writes_to_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress_bar(range(3), desc="reading")) == [0, 1, 2]
    out, err = capsys.readouterr()
    assert out == ""
    assert "reading" in err


def test_a_disabled_bar_is_silent_and_still_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress_bar(range(3), disable=True)) == [0, 1, 2]
    with progress_bar(total=2, disable=True) as bar:
        bar.update()
    assert capsys.readouterr() == ("", "")


def test_a_log_file_gets_lines_and_not_hundreds(capsys: pytest.CaptureFixture[str]) -> None:
    list(progress_bar(range(5000), desc="reading"))
    assert len(capsys.readouterr().err) < 2000
