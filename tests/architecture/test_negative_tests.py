"""The table of what must not be possible names tests that exist."""

from __future__ import annotations

import pytest

from dev.architecture.forbidden import negative_rows, negative_table
from dev.architecture.tree import here

ROWS = negative_rows(here())


def test_every_test_of_the_table_exists() -> None:
    assert len(ROWS) >= 20
    assert negative_table(here()).findings == ()


@pytest.mark.parametrize(("about", "named"), ROWS, ids=[about[:40] for about, _ in ROWS])
def test_every_line_has_a_test(about: str, named: tuple[str, ...]) -> None:
    assert named, about
