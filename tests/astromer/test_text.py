from __future__ import annotations

from astromer.text import printable, shortened


def test_what_a_terminal_would_obey_is_written_out():
    assert printable("a\x1b[31mb\nc\0") == "a\\x1b[31mb\\nc\\x00"
    assert printable("Große Sterne ☆") == "Große Sterne ☆"


def test_long_texts_are_cut_to_the_width():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "..."
    assert len(shortened("x" * 10_000)) == 80
    assert len(shortened("\n" * 60)) == 80
