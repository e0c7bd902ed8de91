"""The fixtures and hooks of the product's tests, for those of the tools."""

from tests.conftest import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
    shared,
    store,
    toy,
)
