"""For all tests: the order in which they run, an environment that no module leaves changed, and short garbage collections."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's synchronous interface keeps an event loop running in this thread for the rest of the session."""
    items.sort(key=lambda item: "tests/browser/" in item.path.as_posix())


@pytest.fixture(autouse=True, scope="module")
def environment_as_found() -> Iterator[None]:
    """Systems of a module give their planes settings by the environment; the next module's planes must not find them there."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True, scope="module")
def what_stays_is_not_looked_through() -> Iterator[None]:
    """What thousands of tests leave behind (reports, contracts, schemas) is kept out of later collections: they stop every plane of a system
    that runs in this process, in the end for seconds."""
    yield
    gc.collect()
    gc.freeze()
