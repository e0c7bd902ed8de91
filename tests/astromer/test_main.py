from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import astromer
from astromer.__main__ import PROGRAMS, main
from astromer.commands import embed

PACKAGE = Path(astromer.__file__).parent


def test_every_program_is_listed() -> None:
    files = (PACKAGE / "commands").glob("*.py")
    programs = {file.stem for file in files if re.search(r"^def main\(", file.read_text(), re.M)}
    assert set(PROGRAMS) == programs


def test_a_program_gets_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(sys, "argv", ["astromer", "embed", "--model", "x"])
    monkeypatch.setattr(embed, "main", lambda: ran.append(sys.argv[1:]))
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert ran == [["--model", "x"]]


@pytest.mark.parametrize(
    ("given", "said"), [([], "Received nothing"), (["embbed"], "Received: 'embbed'")]
)
def test_others_are_refused(given, said, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["astromer", *given])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr().err
    assert end.value.code == 2
    assert said in told
    assert all(name in told for name in PROGRAMS)


@pytest.mark.parametrize(("flag", "said"), [("--version", astromer.__version__), ("-h", "usage:")])
def test_answers(flag, said, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["astromer", flag])
    main()
    assert said in capsys.readouterr().out
