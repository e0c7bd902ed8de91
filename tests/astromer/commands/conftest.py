"""A pushed model, for the programs that read one."""

from __future__ import annotations

from tests.astromer.reports.conftest import served

__all__ = ["served"]
