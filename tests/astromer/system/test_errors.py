from __future__ import annotations

from astromer.system import errors


def test_every_error_has_an_exit_code_of_its_own() -> None:
    classes = [
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.AstromerError)
    ]
    codes = [cls.exit_code for cls in classes]
    assert len(classes) > 8
    assert len(set(codes)) == len(codes)
    assert all(0 < code < 256 for code in codes)
