from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

import astromer
from astromer.__main__ import PROGRAMS, main

PACKAGE = Path(astromer.__file__).parent


def programs() -> set[str]:
    """The modules, and folders with a ``__main__``, that end with run_program."""
    files = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__main__.py")]
    found = [file for file in files if re.search(r"^ +run_program\(main\)", file.read_text(), re.M)]
    return {file.parent.name if file.stem == "__main__" else file.stem for file in found}


def test_every_program_is_listed() -> None:
    assert set(PROGRAMS) == programs()


def test_a_program_gets_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(sys, "argv", ["astromer", "embed", "--model", "x"])
    monkeypatch.setattr(
        runpy, "run_module", lambda name, **kwargs: ran.append((name, kwargs, sys.argv[1:]))
    )
    main()
    assert ran == [
        ("astromer.commands.embed", {"run_name": "__main__", "alter_sys": True}, ["--model", "x"])
    ]


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
