"""For all tests: the order in which they run."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's synchronous interface keeps an event loop running in this thread for the rest of the session."""
    items.sort(key=lambda item: "tests/browser/" in item.path.as_posix())
