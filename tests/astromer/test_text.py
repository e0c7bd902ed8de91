from __future__ import annotations

import pytest

from astromer.text import other_classes, printable, shortened, without_passwords


def test_what_a_terminal_would_obey_is_written_out():
    assert printable("a\x1b[31mb\nc\0") == "a\\x1b[31mb\\nc\\x00"
    assert printable("Große Sterne ☆") == "Große Sterne ☆"


def test_long_texts_are_cut_to_the_width():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "..."
    assert len(shortened("x" * 10_000)) == 80
    assert len(shortened("\n" * 60)) == 80


def test_a_single_other_class_has_its_name() -> None:
    assert other_classes(["ROT"]) == "ROT"
    assert other_classes({"ROT", "EA"}) == "2 other classes"
    assert other_classes([], unknown=True) == "class unknown"
    assert other_classes(["ROT"], unknown=True) == "ROT or class unknown"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--metdata mysql://me:hun:ter/2@x@db/y", "--metdata mysql://me:***@db/y"),
        ("postgresql://:secret@db", "postgresql://:***@db"),
        ("gs://bucket/a:b and postgresql://me@db:5432/y", None),
    ],
)
def test_passwords_of_urls_are_not_shown(text: str, shown: str | None) -> None:
    assert without_passwords(text) == (shown or text)
