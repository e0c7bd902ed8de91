"""The folder in which documented commands are run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import SHARED
from tests.docs.place import Place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("docs") / "checkout", SHARED if SHARED.is_dir() else None)
    yield made
    made.close()
